"""Damage to folders that hold `SHA256SUMS`, and folders as older versions wrote them, without."""

from pathlib import Path

from vidmodel_tf.integrity import NAME


def without_sums(folder: Path) -> Path:
    """Removes the sums of a folder, and hands the folder back."""
    (folder / NAME).unlink()
    return folder


def flip_a_bit(path: Path) -> None:
    """Changes one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def exchange(path: Path) -> None:
    """Puts the sums of the folder in place of a file, which is whole itself and another's."""
    folder = next(parent for parent in path.parents if (parent / NAME).is_file())
    path.write_bytes((folder / NAME).read_bytes())


DAMAGES = {
    "a bit": flip_a_bit,
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "another's": exchange,
}
