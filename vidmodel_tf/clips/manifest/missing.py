"""Cells that say that a value is missing, as pandas writes it into text: read as empty, and told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from vidmodel_tf.clips.manifest.rows import Row

_MISSING = frozenset({"nan", "NaN", "<NA>", "NaT"})
_MISSING_TEXT = _MISSING | {"None"}  # which may well be the name of a class


def blank_missing(rows: Sequence[Row], names: Collection[str], texts: Collection[str]) -> list[str]:
    """Empties cells such as `nan`, and says how many there were.

    Args:
        rows: Changed in place.
        names: Columns of names: labels, source, split.
        texts: Columns of words.

    Returns:
        One warning, or none.
    """
    for row in rows:
        for column in (*names, *texts):
            value = row.values.get(column)
            if is_missing(value, _MISSING_TEXT if column in texts else _MISSING):
                row.values[column] = None
                row.blanked[column] = str(value).strip()
    found = Counter(item for row in rows for item in row.blanked.items())
    if not found:
        return []
    parts = ", ".join(f"{count} {value!r} in {column}" for (column, value), count in found.items())
    return [f"cells that stand for a missing value were read as empty: {parts}"]


def is_missing(value: object, spellings: Collection[str] = _MISSING) -> bool:
    """Whether a value of CSV or JSON stands for a missing one."""
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, str) and value.strip() in spellings
