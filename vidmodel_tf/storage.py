"""Files and folders that are whole or not there: written beside, then renamed."""

from __future__ import annotations

import codecs
import contextlib
import glob
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError

MAX_JSON_BYTES = 256 * 2**20  # that of a timeline of many hours has tens of MiB
LEFTOVER_SECONDS = 86_400.0
_GIT_LFS_MARK = b"version https://git-lfs.github.com/spec/"  # how the small file begins that stands for a large one

_RANDOM = "[a-z0-9_]" * 8  # what `mkstemp` puts into a name
_DOUBLE_SUFFIXES = (".weights.h5",)  # without the first half Keras refuses the file

_MARKS = {  # the longer ones first: that of UTF-32 begins like that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@contextlib.contextmanager
def atomic_write(path: str | Path, *, num_bytes: int = 0) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes the place of `path` when the block ends without an error.

    The suffix is kept: Keras and OpenCV choose the format by it.

    Args:
        path: The file to be.
        num_bytes: The size that it will have about, for a library that does not survive a full disk.

    Raises:
        OSError: There is no room for so much.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix, suffix = _name_beside(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=suffix)
    beside = Path(name)
    try:
        _check_room(handle, num_bytes)
        yield beside
        beside.chmod(0o644)  # mkstemp's 0600 would lock out a server that runs as another user
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _check_room(handle: int, num_bytes: int) -> None:
    try:
        if num_bytes and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(handle, 0, num_bytes)
    finally:
        os.close(handle)


def _name_beside(path: Path) -> tuple[str, str]:
    """How the name of a file begins and ends that is written to take the place of `path`."""
    suffix = next((suffix for suffix in _DOUBLE_SUFFIXES if path.name.endswith(suffix)), path.suffix)
    return f".{path.stem[:20]}.", suffix  # short, for the name of the file itself may be as long as a name can be


def remove_leftovers(folder: Path) -> None:
    """Removes files in a folder of ours that a killed process was still writing (`atomic_write`).

    Only those that nobody has written to for a day: another process may be writing there now.
    """
    _remove_old(folder.glob(".*"), LEFTOVER_SECONDS)


def remove_leftovers_of(path: Path, unused_seconds: float = LEFTOVER_SECONDS) -> None:
    """Removes what a killed process was writing to take the place of one file; others may have files in its folder.

    Args:
        path: The file.
        unused_seconds: What somebody has written to since is left: another process may be writing there now.
    """
    prefix, suffix = _name_beside(path)
    _remove_old(path.parent.glob(f"{glob.escape(prefix)}{_RANDOM}{glob.escape(suffix)}"), unused_seconds)


def _remove_old(paths: Iterable[Path], unused_seconds: float) -> None:
    oldest = time.time() - unused_seconds
    for path in paths:
        with contextlib.suppress(OSError):  # renamed or removed meanwhile
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Gives an empty folder beside `path` to write into; it takes the place of `path` when the block ends well.

    The folder that was there before is never lost: killed between the two renames, it lies beside as `.NAME.before`,
    and the next call puts it back.
    """
    path = Path(path)
    beside, before = (path.with_name(f".{path.name}.{ending}") for ending in ("partial", "before"))
    _put_back(before, path)
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        shutil.rmtree(before, ignore_errors=True)
        if path.exists():
            path.rename(before)
        beside.rename(path)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        _put_back(before, path)
        shutil.rmtree(beside, ignore_errors=True)


def _put_back(before: Path, path: Path) -> None:
    if before.exists() and not path.exists():
        before.rename(path)


def write_text(path: str | Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all.

    Half a surrogate pair, as the name of a file that is not UTF-8 has, is written as its escape, which JSON and
    JavaScript read as it was.
    """
    with atomic_write(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(path: str | Path, value: Any) -> None:
    """Writes JSON for people and programs (indented, Unicode as it is), whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file of ours.

    Raises:
        InputError: It is missing or was damaged, or has more than `MAX_JSON_BYTES`.
    """
    check_no_device(path)
    try:
        check_size(path, MAX_JSON_BYTES)
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_fetched(path: Path) -> None:
    """Refuses the placeholder that Git LFS leaves where a large file was not fetched.

    Raises:
        InputError: The file is such a placeholder.
    """
    if is_lfs_pointer(path):
        raise _not_fetched(path)


def _not_fetched(path: Path) -> InputError:
    return InputError("this is a pointer of Git LFS, not the file itself: run 'git lfs pull'", subject=path)


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is the placeholder that Git LFS leaves where a large file was not fetched."""
    try:
        with path.open("rb") as file:
            return file.read(len(_GIT_LFS_MARK)) == _GIT_LFS_MARK
    except OSError:
        return False


def check_no_device(path: Path) -> None:
    """Refuses a pipe, a device or a socket, which may never come to an end.

    Raises:
        InputError: It is one.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError("expected a file. Received: a pipe, a device or a socket", subject=path)


def check_size(path: Path, max_bytes: int) -> None:
    """Refuses a file that is too large to be what it should be.

    Raises:
        InputError: It has more bytes.
        OSError: There is no such file.
    """
    num_bytes = path.stat().st_size
    if num_bytes > max_bytes:
        raise InputError(f"expected at most {max_bytes:,} bytes. Received: {num_bytes:,}", subject=path)


def read_text(path: Path, *, max_bytes: int | None = None) -> str:
    """Reads a text file in UTF-8, with or without a byte order mark, or in UTF-16 or UTF-32 with it.

    Args:
        path: The file.
        max_bytes: A longer one is refused; None: any length will do.

    Raises:
        InputError: It cannot be read, is too long, or in another encoding; the line that is not UTF-8 is named.
    """
    check_no_device(path)
    try:
        if max_bytes is not None:
            check_size(path, max_bytes)
        content = path.read_bytes()
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if content.startswith(_GIT_LFS_MARK):
        raise _not_fetched(path)
    encoding = next((encoding for mark, encoding in _MARKS.items() if content.startswith(mark)), "UTF-8")
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "replace").count("\n") + 1
        raise InputError(
            f"{path} is not {encoding}: expected {encoding} text. "
            f"Received: byte 0x{content[error.start]:02x} in line {line}; save the file as UTF-8"
        ) from None
