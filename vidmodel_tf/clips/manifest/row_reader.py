"""One row of a manifest -> one clip, with the words beside its video."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.clips.clip import Clip, Label, check_words, clip_id, relative_name
from vidmodel_tf.clips.manifest.cells import (
    parse_class,
    parse_classes,
    parse_place,
    parse_seconds,
    parse_source,
    parse_split,
)
from vidmodel_tf.clips.manifest.columns import Columns
from vidmodel_tf.clips.manifest.rows import Row
from vidmodel_tf.config import MODEL_FIELDS, QUESTION, TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.remote.store import Place, list_folder
from vidmodel_tf.words.cues import Cue, cut, sources_by_field, text_by_field, untimed
from vidmodel_tf.words.json_words import check_text
from vidmodel_tf.words.sidecars import Sidecars
from vidmodel_tf.words.subtitles import subtitle_path


class RowReader:
    """Reads the rows of one file.

    Args:
        columns: What its columns mean.
        root: The folder at which relative paths start; absolute.
        sidecars: Finds the words that a row lacks.
        rows: All of them: how a column of several classes is written shows in the column as a whole.
    """

    def __init__(self, columns: Columns, root: Path, sidecars: Sidecars, rows: Sequence[Row]) -> None:
        self._columns = columns
        self._root = root
        self._sidecars = sidecars
        self._list_folder = functools.lru_cache(maxsize=256)(list_folder)
        self._separated = {
            head.column
            for head in columns.heads.values()
            if any(isinstance(value := row.values.get(head.column), list) or "|" in str(value) for row in rows)
        }

    def read(self, row: Row) -> Clip | None:
        """The clip of a row; None: it has faults, which the row then holds."""
        return self._read_video(row) if self._columns.has_videos else self._read_words_only(row)

    def _read_video(self, row: Row) -> Clip | None:
        path = row.read("path", parse_place, self._root, self._list_folder)
        start_seconds, end_seconds = _read_range(row)
        labels = self._read_labels(row)
        source, split = row.read("source", parse_source), row.read("split", parse_split)
        words, open_fields = self._read_words(row, path)
        cues = cut(words, start_seconds, end_seconds)
        text = _join(row, cues)
        if row.faults or path is None:
            return None
        name = relative_name(path, self._root) if isinstance(path, Path) else path.url
        return Clip(
            id=clip_id(name, start_seconds, end_seconds, text.get(QUESTION, "")),
            path=path,
            text=text,
            words_from=sources_by_field(cues),
            open_fields=open_fields,
            labels=labels,
            source=source or name,
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            split=split,
        )

    def _read_words_only(self, row: Row) -> Clip | None:
        name = row.read("id", parse_source) or f"row {row.number}"
        labels = self._read_labels(row)
        source, split = row.read("source", parse_source), row.read("split", parse_split)
        cues, _ = self._read_words(row, None)
        if not cues:
            row.refuse("title", "expected words in a row without a video. Received: none; remove the row")
        text = _join(row, cues)
        if row.faults:
            return None
        return Clip(
            id=clip_id(name, None, None, text.get(QUESTION, "")),
            path=None,
            text=text,
            words_from=sources_by_field(cues),
            labels=labels,
            source=source or name,
            split=split,
        )

    def _read_labels(self, row: Row) -> dict[str, Label]:
        num_faults = len(row.faults)
        labels: dict[str, Label] = {}
        for head, column in self._columns.heads.items():
            if column.is_multi_label:
                labels[head] = row.read(column.column, parse_classes, column.column in self._separated)
            else:
                labels[head] = row.read(column.column, parse_class)
        if all(label is None for label in labels.values()) and len(row.faults) == num_faults:
            column = next(iter(self._columns.heads.values())).column
            blank = f" ({row.blanked[column]!r} stands for none)" if column in row.blanked else ""
            row.refuse(column, f"no label in this row{blank}; label it for at least one head, or remove it")
        return labels

    def _read_words(self, row: Row, path: Place | None) -> tuple[list[Cue], frozenset[str]]:
        """The words of a row, and from the files beside its video those for the fields that the row leaves empty.

        Returns:
            The words, and the fields for which there are none.
        """
        texts = {field: row.read(field, _check_field, field) or "" for field in MODEL_FIELDS}
        given = {field: text for field, text in texts.items() if text.strip()}
        cues = [untimed(field, text, "manifest") for field, text in given.items() if field != "subtitles"]
        cues += row.read("subtitles", self._read_subtitles) or []
        # A row that names a subtitle file gets no others, even where that file has no words for this clip.
        missing = [field for field in TEXT_FIELDS if field not in given]
        if not isinstance(path, Path):  # nothing lies beside it that is read
            return cues, frozenset(missing)
        try:
            beside = self._sidecars.find(path, missing)
        except InputError as error:
            row.refuse("path", f"the words beside it: {error}")
            beside = ()
        return [*cues, *beside], frozenset(missing) - {cue.field for cue in beside}

    def _read_subtitles(self, value: object) -> list[Cue]:
        """A cell that holds the words, or names the file in which they are."""
        if not isinstance(value, str) or not value.strip():
            return []
        if path := subtitle_path(value, self._root):
            return list(self._sidecars.read_subtitles(path, "manifest"))
        return [untimed("subtitles", value, "manifest")]


def _join(row: Row, cues: Sequence[Cue]) -> dict[str, str]:
    text = text_by_field(cues)
    try:
        check_words(text)
    except InputError as error:
        row.refuse(max(text, key=lambda field: len(text[field])), error)
    return text


def _check_field(value: object, field: str) -> str:
    return check_text(value, allow_list=field == "tags")


def _read_range(row: Row) -> tuple[float | None, float | None]:
    start_seconds = row.read("start_seconds", parse_seconds)
    end_seconds = row.read("end_seconds", parse_seconds)
    if end_seconds is not None and end_seconds <= (start_seconds or 0.0):
        row.refuse("end_seconds", f"expected more than start_seconds={start_seconds or 0.0}. Received: {end_seconds}")
    return start_seconds, end_seconds
