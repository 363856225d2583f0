"""What is computed once for a file and remembered over commands, in the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import file_sha256, read_json, write_json


def cache_folder() -> Path:
    """`$VIDMODEL_CACHE`, by default the folder `vidmodel` where the user's programs keep what can be made again."""
    if chosen := os.environ.get("VIDMODEL_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vidmodel"


def place_for(folder: Path, name: str, key: str) -> Path:
    """Where to keep what is made from a folder: in it, or in the user's cache where it cannot be written.

    Args:
        folder: Exists.
        name: Of the file or folder to be.
        key: A hash of the content; in the user's cache it tells folders apart.
    """
    return folder / name if os.access(folder, os.W_OK) else cache_folder() / "of_read_only" / key / name


def recall(kind: str, key: str) -> Any:
    """What was remembered under a key; None where nothing was, or it cannot be read any more.

    Args:
        kind: What it is, the name of a folder.
        key: A hash.
    """
    try:
        return read_json(_path(kind, key))
    except (InputError, RuntimeError):  # RuntimeError: the user has no home
        return None


def remember(kind: str, key: str, value: Any) -> None:
    """Keeps a JSON value; where the folder cannot be written, nothing is kept."""
    with contextlib.suppress(OSError, RuntimeError):
        write_json(_path(kind, key), value)


def identity_hash(path: Path) -> str:
    """A hash that changes when a file is moved or written to: of its path, size, times and place on the disk.

    Raises:
        InputError: There is no such file.
    """
    try:
        status = path.stat()
        parts = [str(path.resolve()), status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev]
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", subject=path) from None
    return hashlib.sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()


def content_hash(path: Path) -> str:
    """The SHA-256 of a file's content, hexadecimal; of a file that has not changed, it is computed once.

    Raises:
        InputError: The file cannot be read.
    """
    key = identity_hash(path)
    found = recall("sha256", key)
    if isinstance(found, str):
        return found
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", subject=path) from None
    remember("sha256", key, sha256)
    return sha256


def _path(kind: str, key: str) -> Path:
    return cache_folder() / kind / key[:2] / f"{key}.json"
