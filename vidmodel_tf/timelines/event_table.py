"""`NAME.csv`: the events of one video as a table, one row each, for spreadsheets and programs."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.storage import write_text

COLUMNS = tuple(field.name for field in dataclasses.fields(Event))
_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


def write_event_table(path: str | Path, events: Sequence[Event]) -> None:
    """Writes a row for each event and a column for each of its fields, in UTF-8, whole or not at all.

    A name stands on one line. Names that a spreadsheet would run as a formula ("=1+1", "@home") get an apostrophe in
    front, which marks text there; the names as they are stand in `NAME.timeline.json`.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in event.to_json().items()} for event in events)
    write_text(path, text.getvalue())


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    line = " ".join(value.splitlines())
    return f"'{line}" if line.startswith(_FORMULA_STARTS) else line
