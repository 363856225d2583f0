"""`thresholds.json`: the lowest score at which a class of a multi-label head counts as given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.storage import read_json

DEFAULT_THRESHOLD = 0.5


def thresholds_of(labels: Labels) -> dict[str, list[float]]:
    """The thresholds that a run begins with."""
    return {head: [DEFAULT_THRESHOLD] * len(labels[head]) for head in labels if head in labels.multi_label}


def read_thresholds(path: Path, labels: Labels) -> dict[str, list[float]]:
    """Reads the thresholds, which users may edit.

    Returns:
        `{head: [K]}` for the multi-label heads.

    Raises:
        InputError: There is not one number from 0 to 1 for each class of these heads, or the file is missing.
    """
    found = read_json(path)
    wanted = {head: len(names) for head, names in labels.items() if head in labels.multi_label}
    heads = found if isinstance(found, dict) else {}
    fits = heads.keys() == wanted.keys() and all(_are_thresholds(heads[head], n) for head, n in wanted.items())
    if not fits:
        counts = ", ".join(f"{n} for {head}" for head, n in wanted.items()) or "none, as no head has several labels"
        raise InputError(f"{path}: expected numbers from 0 to 1 by head, one a class ({counts}). Received: {found}")
    return {head: [float(value) for value in heads[head]] for head in wanted}


def _are_thresholds(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 for value in values)
    )
