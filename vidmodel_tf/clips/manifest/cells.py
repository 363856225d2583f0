"""The values of a manifest, one function a field: each returns the value or says what is wrong with it."""

from __future__ import annotations

import math
import stat
import unicodedata
from pathlib import Path
from typing import Any

from vidmodel_tf.clips.splits.assign import SPLITS
from vidmodel_tf.errors import InputError

SPLIT_NAMES = {**{split: split for split in SPLITS}, "val": "validation"}

# Control characters, line and paragraph separators, and half surrogate pairs: what a list of names cannot hold.
_REFUSED_IN_NAMES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def parse_path(value: Any, root: Path) -> Path:
    """The absolute path of a video; relative ones start at the manifest's folder `root`."""
    text = value.strip() if isinstance(value, str) else value
    if not isinstance(text, str) or not text:
        raise InputError(f"expected the path of a video. Received: {value!r}")
    if ".." in Path(text).parts:
        raise InputError(f"expected a path without '..'. Received: {text!r}; give the absolute path")
    path = root / text
    check_video_file(path)
    return path


def check_video_file(path: Path) -> None:
    """Refuses what cannot be a video without opening it: nothing there, a folder, an empty file, a file without a name.

    Raises:
        InputError: With what is there instead.
    """
    try:
        str(path).encode()
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"expected a video file. Received: {str(path)!r}, which does not exist") from None
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


def parse_class(value: Any) -> str | None:
    """One class name, stripped and in Unicode's form NFC (two spellings that look the same are one class), or None.

    Whole numbers, as JSON may hold them, are names too.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected one class name. Received: {value!r}")
    name = unicodedata.normalize("NFC", (value or "").strip())
    if "|" in name:
        raise InputError(f"expected one class name, without '|'. Received: {name!r}; for several, call it labels:HEAD")
    if any(unicodedata.category(character) in _REFUSED_IN_NAMES for character in name):
        raise InputError(f"expected a class name without control characters. Received: {name!r}")
    return name or None


def parse_classes(value: Any) -> tuple[str, ...] | None:
    """Several class names: separated by `|` or a list. None: not labelled; `|` alone or an empty list: none of them."""
    if isinstance(value, str) and value.strip() == "|":
        return ()
    if isinstance(value, str) and value.strip():
        value = value.split("|")
    if value is None or isinstance(value, str):
        return None
    names = [parse_class(item) for item in (value if isinstance(value, list) else [value])]
    if None in names:
        raise InputError(f"expected class names separated by '|'. Received: {value!r}, with an empty one")
    return tuple(dict.fromkeys(names))


def parse_seconds(value: Any) -> float | None:
    """A time from the beginning of the file, or None for an empty cell."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        seconds = math.nan if isinstance(value, bool) or "_" in str(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:  # also refuses NaN
        raise InputError(f"expected seconds from the beginning, a number >= 0 such as 12.5. Received: {value!r}")
    return seconds


def parse_split(value: Any) -> str | None:
    """One of `splits.SPLITS` (`val` is understood, case does not matter), or None for an empty cell."""
    name = value.strip().lower() if isinstance(value, str) else value
    if name in (None, ""):
        return None
    if not isinstance(name, str) or name not in SPLIT_NAMES:
        raise InputError(f"expected {', '.join(SPLITS)} or nothing. Received: {value!r}")
    return SPLIT_NAMES[name]


def parse_source(value: Any) -> str | None:
    """The name of what must not be split, or None for an empty cell."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected a name. Received: {value!r}")
    return (value or "").strip() or None
