"""A manifest file, CSV or JSONL -> clips. Every bad row is listed, not the first alone."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.clips.clip import Clip, Label, clip_id, relative_name
from vidmodel_tf.clips.manifest.cells import (
    parse_class,
    parse_classes,
    parse_path,
    parse_seconds,
    parse_source,
    parse_split,
)
from vidmodel_tf.clips.manifest.columns import Columns, read_columns
from vidmodel_tf.clips.manifest.rows import Row, read_rows
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.sidecars import check_text, complete_words, read_words_or_subtitles


def read_table(path: Path) -> tuple[list[Clip], Columns]:
    """The clips of a .csv or .jsonl file (absolute path), in its order, and what its columns are.

    Raises:
        InputError: The file or its columns cannot be used, or any row cannot; `details` then lists every fault of
            every row, with the row's number, the column, what is wrong and what to do.
    """
    names, rows = read_rows(path)
    columns = read_columns(names, path.name)
    read = _read_clip if columns.has_videos else _read_words_only
    clips = [read(row, columns, path.parent) for row in rows]
    _refuse_repeated(rows, clips)
    num_bad = sum(bool(row.faults) for row in rows)
    if num_bad:
        plural = "row" if num_bad == 1 else "rows"
        raise InputError(
            f"{num_bad} bad {plural} of {len(rows)} in {path.name}; correct or remove them",
            [fault for row in rows for fault in row.faults],
        )
    return [clip for clip in clips if clip], columns


def _read_clip(row: Row, columns: Columns, root: Path) -> Clip | None:
    if row.faults:
        return None
    path = row.read("path", parse_path, root)
    start_seconds, end_seconds = _read_range(row)
    labels = _read_labels(row, columns)
    source, split = row.read("source", parse_source), row.read("split", parse_split)
    text = _read_words(row, path, root, start_seconds, end_seconds)
    if row.faults or path is None:
        return None
    name = relative_name(path, root)
    return Clip(
        id=clip_id(name, start_seconds, end_seconds),
        path=path,
        text=text,
        labels=labels,
        source=source or name,
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        split=split,
    )


def _read_words_only(row: Row, columns: Columns, root: Path) -> Clip | None:
    if row.faults:
        return None
    clip_id = row.read("id", parse_source) or f"row {row.number}"
    labels = _read_labels(row, columns)
    source, split = row.read("source", parse_source), row.read("split", parse_split)
    words = _read_words(row, None, root, None, None)
    if not any(text.strip() for text in words.values()):
        row.refuse("title", "expected words in a row without a video. Received: none; remove the row")
    if row.faults:
        return None
    return Clip(id=clip_id, path=None, text=words, labels=labels, source=source or clip_id, split=split)


def _read_range(row: Row) -> tuple[float | None, float | None]:
    start_seconds = row.read("start_seconds", parse_seconds)
    end_seconds = row.read("end_seconds", parse_seconds)
    if end_seconds is not None and end_seconds <= (start_seconds or 0.0):
        row.refuse("end_seconds", f"expected more than start_seconds={start_seconds or 0.0}. Received: {end_seconds}")
    return start_seconds, end_seconds


def _read_labels(row: Row, columns: Columns) -> dict[str, Label]:
    num_faults = len(row.faults)
    labels: dict[str, Label] = {
        head: row.read(column.column, parse_classes if column.is_multi_label else parse_class)
        for head, column in columns.heads.items()
    }
    if all(label is None for label in labels.values()) and len(row.faults) == num_faults:
        column = next(iter(columns.heads.values())).column
        row.refuse(column, "no label in this row; label it for at least one head, or remove it")
    return labels


def _read_words(
    row: Row, path: Path | None, root: Path, start_seconds: float | None, end_seconds: float | None
) -> dict[str, str]:
    words = {field: row.read(field, _check_field, field) or "" for field in TEXT_FIELDS}
    given = row.read(
        "subtitles", lambda _: read_words_or_subtitles(words["subtitles"], root, start_seconds, end_seconds)
    )
    if path is None:
        return words | {"subtitles": given or ""}
    # Where a subtitle file named in the row has no words for this clip, another file beside the clip may not speak.
    try:
        completed = complete_words(words, path, start_seconds, end_seconds)
    except InputError as error:
        row.refuse("path", f"the words beside it: {error}")
        return words
    return completed | ({"subtitles": given or ""} if words["subtitles"].strip() else {})


def _check_field(value: object, field: str) -> str:
    return check_text(value, allow_list=field == "tags")


def _refuse_repeated(rows: list[Row], clips: list[Clip | None]) -> None:
    first_rows: dict[object, int] = {}
    for row, clip in zip(rows, clips, strict=True):
        if clip is None:
            continue
        # By id as well: a file may be called "a.mp4@0-5".
        earlier = first_rows.get(clip.key) or first_rows.get(clip.id)
        if earlier:
            column, other = ("path", "start_seconds, end_seconds") if clip.path else ("id", "id")
            row.refuse(column, f"the same clip as row {earlier}; remove one, or give another {other}")
        else:
            first_rows[clip.key] = first_rows[clip.id] = row.number
