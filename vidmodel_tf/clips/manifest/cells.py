"""The values of a manifest, one function a field: each returns the value or says what is wrong with it."""

from __future__ import annotations

import contextlib
import math
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from vidmodel_tf.clips.manifest.limits import MAX_NAME, MAX_PATH, check_length, is_unicode
from vidmodel_tf.clips.manifest.missing import is_missing
from vidmodel_tf.clips.splits.assign import SPLITS
from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.remote.store import PACKAGES, Place, RemoteFile, check_url, is_url
from vidmodel_tf.storage import is_lfs_pointer

SPLIT_NAMES = {**{split: split for split in SPLITS}, "val": "validation"}

# Control characters, line and paragraph separators, and half surrogate pairs: what a list of names cannot hold.
_REFUSED_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # https:, s3:, file: but not C:
_LARGEST_POINTER = 1024  # bytes, by the format's own rule
# A list or an object as Python, NumPy or JSON print it: a bracket and a quote, or numbers in brackets.
_PRINTED_LIST = re.compile(
    r"""\w*\(?(?:[\[{(]+\s*["'].*|[\[{]+[\d\s,.+-]*|\([\d\s.+-]*,[\d\s,.+-]*)[\])}]+""", re.DOTALL
)


def parse_path(value: object, root: Path) -> Path:
    """The absolute path of a video; relative ones start at the manifest's folder `root`.

    Raises:
        InputError: It is no path, an address, or leads out of the folder by `..`.
    """
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str) or not text:
        raise InputError(f"expected the path of a video. Received: {shown(value)}")
    check_length(text, MAX_PATH, "a path")
    if _ADDRESS.match(text):
        raise InputError(f"expected the path of a file. Received: {text!r}, an address; download it, give its path")
    if ".." in Path(text).parts:
        raise InputError(f"expected a path without '..'. Received: {text!r}; give the absolute path")
    path = root / text
    if "\\" in text and not os.path.lexists(path):
        raise InputError(f"expected a path with '/'. Received: {text!r}, with '\\' as on Windows; write '/'")
    check_video_file(path)
    return path


def parse_place(value: object, root: Path, list_folder: Callable[[str], Mapping[str, RemoteFile]]) -> Place:
    """The place of a video: a path as `parse_path` reads it, or a file in a store.

    Args:
        value: The cell.
        root: The manifest's folder.
        list_folder: `remote.store.list_folder`, which remembers what it has listed: rows name files of few folders.

    Raises:
        InputError: It is none, leads out of the folder by `..`, or nothing is there.
    """
    text = value.strip() if isinstance(value, str) else ""
    if text.partition("://")[0].lower() not in PACKAGES or not is_url(text):
        return parse_path(value, root)
    check_length(text, MAX_PATH, "a path")
    folder, _, name = check_url(text).rpartition("/")
    file = list_folder(folder).get(name)
    if file is None:
        raise InputError(f"expected a video file. Received: {text!r}, which does not exist")
    if not file.num_bytes:
        raise InputError(f"expected a video file. Received: {text!r}, which is empty")
    return file


def check_video_file(path: Path) -> None:
    """Refuses what cannot be a video whatever its format: nothing, a folder, an empty file, a placeholder for a file.

    Raises:
        InputError: With what is there instead.
    """
    try:
        str(path).encode()
        status = path.stat()
    except FileNotFoundError:
        link = f", a link to {str(path.readlink())!r}" if path.is_symlink() else ""
        raise InputError(f"expected a video file. Received: {str(path)!r}{link}, which does not exist") from None
    except UnicodeEncodeError:
        raise InputError("expected a file name in UTF-8; rename the file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"expected a video file. Received: {str(path)!r} ({reason})") from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"expected a video file. Received: {str(path)!r}, which is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"expected a video file. Received: {str(path)!r}, which is not a regular file")
    if status.st_size == 0:
        raise InputError(f"expected a video file. Received: {str(path)!r}, which is empty (0 bytes)")
    if status.st_size < _LARGEST_POINTER and is_lfs_pointer(path):
        raise InputError("expected a video file. Received: a pointer of Git LFS in its place; run 'git lfs pull'")


def parse_class(value: object) -> str | None:
    """One class name, stripped and in Unicode's form NFC (two spellings that look the same are one class), or None.

    Whole numbers, as JSON may hold them, are names too.

    Raises:
        InputError: It is no text, or looks like several names or like a damaged one.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected one class name. Received: {shown(value)}; for several use a column labels:HEAD")
    name = unicodedata.normalize("NFC", (value or "").strip())
    check_length(name, MAX_NAME, "a class name")
    if _PRINTED_LIST.fullmatch(name):
        raise InputError(
            f"expected one class name. Received: {name!r:.80}, a list; "
            "for several classes use a column labels:HEAD and separate them by '|'"
        )
    if "|" in name:
        raise InputError(f"expected one class name, without '|'. Received: {name!r}; for several, call it labels:HEAD")
    if any(unicodedata.category(character) in _REFUSED_IN_NAMES for character in name):
        raise InputError(f"expected a class name without control characters. Received: {name!r}")
    return name or None


def parse_classes(value: object, may_hold_commas: bool = True) -> tuple[str, ...] | None:
    """Several class names: separated by `|` or a list. None: not labelled; `|` alone or an empty list: none of them.

    Args:
        value: A cell of CSV, or a value of JSON.
        may_hold_commas: Whether commas and semicolons in a text belong to a name, and do not separate names.

    Raises:
        InputError: It is something else, or one of the names is empty, damaged or stands for a missing value.
    """
    if isinstance(value, str) and value.strip() == "|":
        return ()
    if isinstance(value, str) and _PRINTED_LIST.fullmatch(value.strip()):
        raise InputError(
            f"expected class names separated by '|'. Received: {shown(value)}, a list of Python or JSON in a cell"
        )
    if isinstance(value, str) and re.search(r"[,;]|^\s*\[", value) and not may_hold_commas:
        raise InputError(
            f"expected class names separated by '|'. Received: {shown(value)}; separate several by '|', "
            "or call the column label:HEAD if each cell is one class"
        )
    if isinstance(value, str) and value.strip():
        value = value.split("|")
    if value is None or isinstance(value, str):
        return None
    items = value if isinstance(value, list) else [value]
    if missing := next((item for item in items if is_missing(item)), None):
        raise InputError(f"expected class names. Received: {shown(missing)}, which stands for a missing value")
    names = [name for item in items if (name := parse_class(item))]
    if len(names) < len(items):
        raise InputError(f"expected class names separated by '|'. Received: {shown(value)}, with an empty one")
    return tuple(dict.fromkeys(names))


def parse_seconds(value: object) -> float | None:
    """A time from the beginning of the file, or None for an empty cell.

    Raises:
        InputError: It is no finite number of at least 0.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    seconds = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool) and "_" not in str(value):
        with contextlib.suppress(ValueError, OverflowError):
            seconds = float(value)
    if not 0 <= seconds < math.inf:  # also refuses NaN
        raise InputError(f"expected seconds from the beginning, a number >= 0 such as 12.5. Received: {shown(value)}")
    return seconds


def parse_split(value: object) -> str | None:
    """One of `splits.SPLITS` (`val` is understood, case does not matter), or None for an empty cell.

    Raises:
        InputError: It is another name.
    """
    name = value.strip().lower() if isinstance(value, str) else value
    if name in (None, ""):
        return None
    if not isinstance(name, str) or name not in SPLIT_NAMES:
        raise InputError(f"expected {', '.join(SPLITS)} or nothing. Received: {shown(value)}")
    return SPLIT_NAMES[name]


def parse_source(value: object) -> str | None:
    """The name of what must not be split, or None for an empty cell.

    Raises:
        InputError: It is no text, too long, or not Unicode.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected a name. Received: {shown(value)}")
    name = (value or "").strip()
    check_length(name, MAX_PATH, "a name")
    if not is_unicode(name):
        raise InputError(f"expected a name in Unicode. Received: {shown(value)}")
    return name or None
