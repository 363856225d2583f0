"""When what really happened in some videos, as a CSV file says: what scores over time are measured against."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vidmodel_tf.clips.manifest.cells import parse_class, parse_seconds
from vidmodel_tf.clips.manifest.limits import until_too_bad
from vidmodel_tf.clips.manifest.rows import Row, read_rows
from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.scoring.overlap import TimeRange, united

COLUMNS = ("path", "start_seconds", "end_seconds", "head", "label")


@dataclasses.dataclass(frozen=True, order=True)
class HeadLabel:
    """A class of a head.

    Attributes:
        head: The name of the head.
        label: The name of the class.
    """

    head: str
    label: str


@dataclasses.dataclass(frozen=True)
class TrueVideo:
    """What happened in one video.

    Attributes:
        path: Absolute. The file need not be there.
        ranges: When each class happened: in order, without overlaps. What is not named did not happen.
    """

    path: Path
    ranges: Mapping[HeadLabel, tuple[TimeRange, ...]]


@dataclasses.dataclass(frozen=True)
class Truth:
    """What happened in some videos.

    Attributes:
        path: Of the CSV file.
        videos: In the order of the file.
        rows: The classes that the file names, and the first row that names each. All the videos were looked through
            for these classes, and for no others.
    """

    path: Path
    videos: tuple[TrueVideo, ...]
    rows: Mapping[HeadLabel, int]

    def check_against(self, labels_by_head: Mapping[str, Sequence[str]]) -> None:
        """Refuses truth about what a model does not score.

        Args:
            labels_by_head: Class names by head.

        Raises:
            InputError: A head or class is not among them; its row is named.
        """
        for what, row in self.rows.items():
            where = f"{self.path.name}: row {row}"
            if what.head not in labels_by_head:
                heads = ", ".join(labels_by_head)
                raise InputError(f"{where}: head: expected one of the heads {heads}. Received: {what.head!r}")
            labels = labels_by_head[what.head]
            if what.label not in labels:
                raise InputError(
                    f"{where}: label: expected one of the classes {', '.join(labels)}. Received: {what.label!r}"
                )


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A row that could be read; `time` and `what` are None where they are empty."""

    path: Path
    time: TimeRange | None
    what: HeadLabel | None


def read_truth(path: str | Path) -> Truth:
    """Reads a CSV file with the columns `path,start_seconds,end_seconds,head,label`, a row for each event.

    Paths are relative to the file. A video in which nothing happened has one row with empty times, with or without a
    head and label. Events of one class that overlap or touch are one event.

    Raises:
        InputError: The file cannot be read, lacks a column, or has bad rows; `details` then lists each fault with the
            number of its row and its column.
    """
    path = Path(path).absolute()
    names, rows = read_rows(path)
    if missing := [name for name in COLUMNS if name not in names]:
        raise InputError(f"{path.name}: expected the columns {','.join(COLUMNS)}. Missing: {', '.join(missing)}")
    entries = [_read_row(row, path.parent) for row in until_too_bad(rows)]
    _refuse_contradictions(rows, entries)
    if faults := [fault for row in rows for fault in row.faults]:
        num_bad = sum(bool(row.faults) for row in rows)
        raise InputError(f"{num_bad} of {len(rows)} rows in {path.name} cannot be used; correct them", faults)
    return _truth(path, rows, [entry for entry in entries if entry])


def _truth(path: Path, rows: Sequence[Row], entries: Sequence[_Entry]) -> Truth:
    first_rows: dict[HeadLabel, int] = {}
    ranges: dict[Path, dict[HeadLabel, list[TimeRange]]] = {}
    for row, entry in zip(rows, entries, strict=True):
        of_video = ranges.setdefault(entry.path, {})
        if entry.what:
            first_rows.setdefault(entry.what, row.number)
        if entry.what and entry.time:
            of_video.setdefault(entry.what, []).append(entry.time)
    videos = [
        TrueVideo(video, {what: united(times) for what, times in of_video.items()})
        for video, of_video in ranges.items()
    ]
    return Truth(path, tuple(videos), first_rows)


def _read_row(row: Row, root: Path) -> _Entry | None:
    path = row.read("path", _parse_path, root)
    start, end = (row.read(name, parse_seconds) for name in ("start_seconds", "end_seconds"))
    head, label = row.read("head", parse_class), row.read("label", parse_class)
    if row.faults or path is None:
        return None
    time = _time(row, start, end)
    if not head and (time or label):
        row.refuse("head", "expected the name of a head. Received: an empty cell")
    if not label and (time or head):
        row.refuse("label", "expected the name of a class. Received: an empty cell")
    return None if row.faults else _Entry(path, time, HeadLabel(head, label) if head and label else None)


def _time(row: Row, start: float | None, end: float | None) -> TimeRange | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        empty, given = ("start_seconds", end) if start is None else ("end_seconds", start)
        row.refuse(empty, f"expected both times, or neither for a video without events. Received: {given} alone")
        return None
    if end <= start:
        row.refuse("end_seconds", f"expected more than start_seconds={start}. Received: {end}")
        return None
    return start, end


def _parse_path(value: object, root: Path) -> Path:
    text = value.strip() if isinstance(value, str) else ""
    if not text or "\0" in text:
        raise InputError(f"expected the path of a video. Received: {shown(value)}")
    return Path(os.path.normpath(root / text))


def _refuse_contradictions(rows: Sequence[Row], entries: Sequence[_Entry | None]) -> None:
    """Refuses rows that say that there is no event where other rows have one."""
    happened: dict[tuple[Path, HeadLabel | None], int] = {}
    for row, entry in zip(rows, entries, strict=False):  # reading may have ended early
        if entry and entry.time:
            happened.setdefault((entry.path, entry.what), row.number)
            happened.setdefault((entry.path, None), row.number)
    for row, entry in zip(rows, entries, strict=False):
        if entry and not entry.time and (other := happened.get((entry.path, entry.what))):
            row.refuse("start_seconds", f"empty times mean that there is no event, but row {other} has one; remove one")
