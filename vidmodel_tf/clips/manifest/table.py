"""A manifest file, CSV or JSONL -> clips. Every bad row is listed, not only the first."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.manifest.columns import Columns, read_columns
from vidmodel_tf.clips.manifest.limits import until_too_bad
from vidmodel_tf.clips.manifest.missing import blank_missing
from vidmodel_tf.clips.manifest.row_reader import RowReader
from vidmodel_tf.clips.manifest.rows import Row, read_rows
from vidmodel_tf.config import MODEL_FIELDS, QUESTION
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.sidecars import Sidecars


@dataclasses.dataclass(frozen=True)
class Table:
    """What a manifest file holds.

    Attributes:
        clips: In the order of the rows.
        columns: What its columns mean.
        warnings: One line each.
    """

    clips: list[Clip]
    columns: Columns
    warnings: list[str]


def read_table(path: Path, sidecars: Sidecars) -> Table:
    """Reads a .csv or .jsonl file.

    Args:
        path: Absolute.
        sidecars: Finds the words that the file lacks.

    Raises:
        InputError: The file or its columns cannot be used, or any row cannot; `details` then lists every fault of
            every row, with the row's number, the column, what is wrong and what to do, or those of the first 1,000 bad
            rows.
    """
    names, rows = read_rows(path)
    columns = read_columns(names, path.name)
    heads = [column.column for column in columns.heads.values()]
    warnings = blank_missing(
        rows,
        names=[*heads, *(name for name in ("source", "split") if name in names)],
        texts=[field for field in MODEL_FIELDS if field in names],
    )
    reader = RowReader(columns, path.parent, sidecars, rows)
    clips = [None if row.faults else reader.read(row) for row in until_too_bad(rows)]
    begun = rows[: len(clips)]
    _refuse_repeated(begun, clips)
    num_bad = sum(bool(row.faults) for row in begun)
    if num_bad:
        plural = "row" if num_bad == 1 else "rows"
        where = f"{len(rows)}" if len(begun) == len(rows) else f"the first {len(begun)}"
        raise InputError(
            f"{num_bad} bad {plural} of {where} in {path.name}; correct or remove them",
            [fault for row in begun for fault in row.faults],
        )
    return Table([clip for clip in clips if clip], columns, warnings)


def _refuse_repeated(rows: Sequence[Row], clips: Sequence[Clip | None]) -> None:
    """Notes the rows that ask the same about the same clip as one before, and those that would part a clip."""
    first_rows: dict[object, int] = {}
    firsts: dict[object, tuple[int, Clip]] = {}
    for row, clip in zip(rows, clips, strict=True):
        if clip is None:
            continue
        *footage, _ = key = clip.key
        # By id as well: a file may be called "a.mp4@0-5".
        if earlier := first_rows.get(key) or first_rows.get(clip.id):
            _refuse_second(row, clip, earlier)
            continue
        first_rows[key] = first_rows[clip.id] = row.number
        number, first = firsts.setdefault(tuple(footage), (row.number, clip))
        about = f"as row {number} has it, which asks about the same clip"
        if clip.source != first.source:  # one question might be trained on and the other tested
            row.refuse(
                "source", f"expected {first.source!r}, {about}. Received: {clip.source!r}; give both rows one source"
            )
        elif clip.footage != first.footage:  # by a link, or a start at 0 that is not written
            row.refuse("path", f"expected {first.footage!r}, {about}. Received: {clip.footage!r}; write both alike")


def _refuse_second(row: Row, clip: Clip, earlier: int) -> None:
    if clip.question:
        row.refuse(QUESTION, f"the same question about the same clip as row {earlier}; remove one, or ask another")
        return
    column, other = ("path", "start_seconds, end_seconds") if clip.path else ("id", "id")
    row.refuse(column, f"the same clip as row {earlier}; remove one, or give another {other}")
