"""Folders as older versions wrote them, and strangers make them: without `SHA256SUMS`."""

from pathlib import Path

from vidmodel_tf.integrity import NAME


def without_sums(folder: Path) -> Path:
    """Removes the sums of a folder, and hands the folder back."""
    (folder / NAME).unlink()
    return folder
