"""What the files of a video are called in a folder of timelines."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.document import SUFFIX, read_document


def free_name(folder: Path, video: Path, sha256: str, taken: Collection[str]) -> str:
    """The stem of the video, with a number behind it where another video has that name.

    Args:
        folder: Of the timelines; it need not exist.
        video: The file.
        sha256: Of its content: a timeline of the same video keeps its name.
        taken: Names of other videos that are not in the folder yet.
    """
    for number in itertools.count(1):
        name = video.stem if number == 1 else f"{video.stem}-{number}"
        if name not in taken and _is_free(folder / f"{name}{SUFFIX}", sha256):
            return name
    raise AssertionError("unreachable")


def _is_free(path: Path, sha256: str) -> bool:
    if not path.exists():
        return True
    try:
        return read_document(path).video.sha256 == sha256
    except InputError:
        return True  # damaged: it is made again
