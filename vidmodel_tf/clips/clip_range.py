"""Which clips the arguments of a command mean: whole videos, or ranges of them that a list names."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.clips.manifest.cells import parse_path, parse_seconds
from vidmodel_tf.clips.manifest.columns import misspellings
from vidmodel_tf.clips.manifest.limits import until_too_bad
from vidmodel_tf.clips.manifest.rows import Row, read_rows
from vidmodel_tf.config import QUESTION
from vidmodel_tf.decision import Seconds
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.names import expand_videos
from vidmodel_tf.words.json_words import check_text

LIST_SUFFIXES = (".csv", ".jsonl")


@dataclasses.dataclass(frozen=True)
class ClipRange:
    """A video, or a range of it, half open.

    Attributes:
        path: The video.
        start_seconds: From the container's second 0; None: from the first picture on.
        end_seconds: Likewise; None: to the end of the last picture.
        question: What is asked about it; "": nothing.
    """

    path: Path
    start_seconds: float | None = None
    end_seconds: float | None = None
    question: str = ""

    @property
    def seconds(self) -> Seconds | None:
        """Start and end; None: the whole video."""
        is_whole = self.start_seconds is None and self.end_seconds is None
        return None if is_whole else (self.start_seconds, self.end_seconds)

    @property
    def footage(self) -> tuple[Path, Seconds | None]:
        """Equal for clips with the same frames, whatever is asked about them."""
        return self.path, self.seconds


def expand_clips(arguments: Sequence[str]) -> list[ClipRange]:
    """The clips that arguments stand for, in order; questions about one clip follow the first of them.

    Args:
        arguments: Videos, folders and patterns as in `expand_videos`, and .csv or .jsonl files with the column `path`
            (absolute, or relative to the file), for ranges `start_seconds` and `end_seconds`, and `question`. Other
            columns are left aside.

    Raises:
        InputError: A pattern or a folder stands for no video, or rows of a list cannot be used; all are named.
    """
    clips = []
    for argument in arguments:
        path = Path(argument)
        if path.suffix.lower() in LIST_SUFFIXES and path.is_file():
            clips += _read_list(path)
        else:
            clips += map(ClipRange, expand_videos([argument]))
    clips = list(dict.fromkeys(clips))
    place_of: dict[object, int] = {}
    for place, clip in enumerate(clips):
        place_of.setdefault(clip.footage, place)
    return sorted(clips, key=lambda clip: place_of[clip.footage])


def _read_list(path: Path) -> list[ClipRange]:
    names, rows = read_rows(path)
    if "path" not in names:
        columns = ", ".join(map(repr, names))
        raise InputError(f"{path.name}: expected the columns path,start_seconds,end_seconds. Received: {columns}")
    if faults := misspellings(names):
        raise InputError(f"{path.name}: {faults[0]}", faults[1:])
    clips = [_read_row(row, path.parent) for row in until_too_bad(rows)]
    if faults := [fault for row in rows for fault in row.faults]:
        raise InputError(f"{path.name}: expected rows of clips. Received: {len(faults)} that cannot be used", faults)
    return clips


def _read_row(row: Row, root: Path) -> ClipRange:
    path = row.read("path", parse_path, root) or root
    start, end = row.read("start_seconds", parse_seconds), row.read("end_seconds", parse_seconds)
    if end is not None and end <= (start or 0.0):
        row.refuse("end_seconds", f"expected more than start_seconds ({start or 0:g}). Received: {end:g}")
    return ClipRange(path, start, end, (row.read(QUESTION, check_text) or "").strip())
