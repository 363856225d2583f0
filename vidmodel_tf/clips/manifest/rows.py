"""The rows of a manifest file, CSV or JSONL, before they mean anything."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from vidmodel_tf.clips.manifest.foreign import describe_header, describe_json
from vidmodel_tf.clips.manifest.limits import (
    MAX_BYTES,
    check_names,
    check_number_of_rows,
    checked_lines,
    until_too_bad,
)
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import read_text

_Value = TypeVar("_Value")


@dataclasses.dataclass
class Row:
    """One row of a manifest.

    Attributes:
        number: As an editor shows it: the first line is 1.
        values: By column.
        faults: What is wrong, a line each.
        blanked: By column, what stood there for a missing value.
    """

    number: int
    values: dict[str, object]
    faults: list[str] = dataclasses.field(default_factory=list)
    blanked: dict[str, str] = dataclasses.field(default_factory=dict)

    def refuse(self, column: str, fault: object) -> None:
        """Notes what is wrong with a column of this row."""
        self.faults.append(f"row {self.number}: {column}: {fault}")

    def read(self, column: str, parse: Callable[..., _Value], *arguments: Any) -> _Value | None:
        """The parsed value of a column; where it is wrong, notes the fault and gives None."""
        try:
            return parse(self.values.get(column), *arguments)
        except InputError as error:
            self.refuse(column, error)
            return None


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """The columns' names in order and the rows of a .csv or .jsonl file. Empty lines are passed over.

    Raises:
        InputError: The file is not UTF-8, not what its suffix says as a whole, holds no row, or goes beyond a limit.
    """
    text = read_text(path, max_bytes=MAX_BYTES)
    names, rows = _read_jsonl(text, path.name) if path.suffix.lower() == ".jsonl" else _read_csv(text, path.name)
    if not rows:
        raise InputError(f"{path.name}: expected at least one row of a clip. Received: {len(text)} characters, no row")
    return names, rows


def _read_csv(text: str, file_name: str) -> tuple[list[str], list[Row]]:
    records = ((number, cells) for number, cells in _csv_records(text, file_name) if any(cells))
    header = [name.strip() for name in next(records, (0, []))[1]]
    if fault := describe_header(header):
        raise InputError(f"{file_name}: {fault}")
    check_names(header, file_name)
    # Spreadsheets leave columns without a name at the end.
    names = [name or f"column {index}" for index, name in enumerate(header, 1)]
    return names, [_csv_row(number, names, cells) for number, cells in records]


def _csv_row(number: int, names: list[str], cells: list[str]) -> Row:
    row = Row(number, dict(zip(names, cells, strict=False)))
    if len(cells) > len(names):
        row.refuse(
            names[-1],
            f"expected {len(names)} cells as in the header. Received: {len(cells)}; put texts with commas in quotes",
        )
    return row


def _csv_records(text: str, file_name: str) -> Iterator[tuple[int, list[str]]]:
    # Strict: otherwise a quote that is never closed would swallow the rest of the file as one cell.
    reader = csv.reader(checked_lines(io.StringIO(text, newline=""), file_name), strict=True)
    number = 0
    with _long_cells(len(text)):
        while True:
            number += 1
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(
                    f"{file_name}: row {number}, which starts in line {line}, is not CSV: {error}"
                ) from None
            check_number_of_rows(number - 1, file_name)  # without the header
            yield number, cells


@contextlib.contextmanager
def _long_cells(num_characters: int) -> Iterator[None]:
    # The limit is the process's, 131072 characters; the subtitles of a film are longer.
    limit = csv.field_size_limit()
    csv.field_size_limit(max(limit, num_characters))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _read_jsonl(text: str, file_name: str) -> tuple[list[str], list[Row]]:
    # Not splitlines(): JSON texts may hold the other characters that it breaks at.
    lines = enumerate(checked_lines(text.split("\n"), file_name), 1)
    rows = list(until_too_bad(_jsonl_row(number, line) for number, line in lines if line.strip()))
    check_number_of_rows(len(rows), file_name)
    if rows and rows[0].faults and (fault := describe_json(text)):
        raise InputError(f"{file_name}: {fault}")
    if rows and all(row.faults for row in rows):  # there are no columns to speak of
        first, *more = (fault for row in rows for fault in row.faults)
        raise InputError(f"{file_name}: {first}", more)
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    check_names(names, file_name)
    return names, rows


def _jsonl_row(number: int, line: str) -> Row:
    row = Row(number, {})
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        row.faults.append(f"row {number}: expected a JSON object. Received: {line.strip()!r:.80} ({error})")
        return row
    if isinstance(values, dict):
        row.values = values
    else:
        row.faults.append(f"row {number}: expected a JSON object. Received: {line.strip()!r:.80}")
    return row
