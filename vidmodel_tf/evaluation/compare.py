"""Whether one cross-validation is better than another of the same clips, tested clip by clip."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.cross_metrics import paired_difference
from vidmodel_tf.evaluation.predictions import read_predictions
from vidmodel_tf.evaluation.results import Comparison
from vidmodel_tf.storage import read_json


def compare(one: str | Path, other: str | Path) -> Comparison:
    """Compares two cross-validations of the same clips, in every head that both have.

    Args:
        one: A folder that `crossvalidate` has made.
        other: Another one.

    Returns:
        Differences above 0 where `one` is right more often.

    Raises:
        InputError: A folder is no finished cross-validation, or their clips differ.
    """
    rows = [read_predictions(folder) for folder in (one, other)]
    kinds = {read_json(path)["random_split"] for path in _arguments_of(one, other)}
    if len(kinds) > 1:
        raise InputError(f"{one} and {other}: expected two of the same kind. Received: one with a random split")
    shared = [head for head in rows[0][0].heads if head in rows[1][0].heads]
    if not shared:
        raise InputError(f"{one} and {other} have no head in common: expected two of the same data set")
    return Comparison({head: paired_difference(rows[0], rows[1], head) for head in shared})


def _arguments_of(*folders: str | Path) -> list[Path]:
    paths = (Path(folder) / "arguments.json" for folder in folders)
    return [path for path in paths if path.exists()]  # predictions made by other means have none
