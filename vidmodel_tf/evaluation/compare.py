"""Two cross-validations of the same clips: whether one is better, by pairs of answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.cross_metrics import paired_difference
from vidmodel_tf.storage import read_json


def compare(one: str | Path, other: str | Path) -> dict[str, Any]:
    """Whether one cross-validation is better than another of the same clips, by pairs of answers.

    Args:
        one: A folder that `crossvalidate` has made.
        other: Another.

    Returns:
        `{HEAD: `paired_difference`}`, above zero where `one` is right more often.

    Raises:
        InputError: A folder is no finished cross-validation, or their clips differ.
    """
    rows = [read_predictions(folder) for folder in (one, other)]
    kinds = {read_json(path)["random_split"] for path in _arguments_of(one, other)}
    if len(kinds) > 1:
        raise InputError(f"{one} and {other}: expected two of the same kind. Received: one with a random split")
    shared = [head for head in rows[0][0]["heads"] if head in rows[1][0]["heads"]]
    if not shared:
        raise InputError(f"{one} and {other} have no head in common: expected two of the same data set")
    return {head: paired_difference(rows[0], rows[1], head) for head in shared}


def _arguments_of(*folders: str | Path) -> list[Path]:
    paths = (Path(folder) / "arguments.json" for folder in folders)
    return [path for path in paths if path.exists()]  # predictions made by other means have none


def read_predictions(folder: str | Path) -> list[dict[str, Any]]:
    """The rows of `predictions.jsonl`: seed, fold, id, source, heads {HEAD: truth, answer, scores}."""
    path = Path(folder) / "predictions.jsonl"
    if not path.is_file():
        raise InputError(
            f"{folder} is no finished cross-validation (no predictions.jsonl in it): "
            "expected a folder made by `vidmodel crossvalidate`"
        )
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise InputError(f"{path} was damaged: {error}; run `vidmodel crossvalidate` again to write it anew") from None
