"""The predictions of a cross-validation: what each model answers about the clips that it never saw."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from vidmodel_tf.clips.clip import Label
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import write_text

FILE_NAME = "predictions.jsonl"


@dataclasses.dataclass(frozen=True)
class HeadPrediction:
    """What a model answers for one head of a clip.

    Attributes:
        truth: A class name; the names, sorted, for a multi-label head; None where not labelled.
        answer: A class name; the names, by class id, for a multi-label head.
        scores: [K], by class id; empty where a model gives none.
    """

    truth: Label
    answer: str | tuple[str, ...]
    scores: tuple[float, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether the answer is the truth; for a multi-label head, the whole set of classes."""
        return self.answer == self.truth


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a model answers about one clip that was held out.

    Attributes:
        seed: Of the partition and of the training.
        fold: The fold that the clip was held out in, from 1.
        id: The clip's id.
        source: The clip's source.
        heads: By the name of the head.
    """

    seed: int
    fold: int
    id: str
    source: str
    heads: dict[str, HeadPrediction]

    def to_json(self) -> dict[str, Any]:
        """`{"seed", "fold", "id", "source", "heads": {HEAD: {"truth", "answer", "scores"}}}`."""
        return {**vars(self), "heads": {head: _head_to_json(each) for head, each in self.heads.items()}}


def write_predictions(folder: str | Path, predictions: Iterable[Prediction]) -> Path:
    """Writes `predictions.jsonl`, a line a prediction. Returns its path."""
    path = Path(folder) / FILE_NAME
    lines = (json.dumps(prediction.to_json(), ensure_ascii=False) for prediction in predictions)
    write_text(path, "".join(f"{line}\n" for line in lines))
    return path


def read_predictions(folder: str | Path) -> list[Prediction]:
    """Reads `predictions.jsonl`.

    Raises:
        InputError: It is missing or was damaged.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise InputError(
            f"{folder} is no finished cross-validation (no {FILE_NAME} in it): "
            "expected a folder made by `vidmodel crossvalidate`"
        )
    try:
        # Not `splitlines`: JSON may hold other ends of lines as they are, U+2028 for one.
        lines = path.read_text(encoding="utf-8").split("\n")
        predictions = [_prediction(json.loads(line)) for line in lines if line]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, repr(error)) from None
    if not predictions:
        raise _damaged(path, "it is empty")
    return predictions


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path} was damaged: {what}; run `vidmodel crossvalidate` again to write it anew")


def _head_to_json(prediction: HeadPrediction) -> dict[str, Any]:
    values = {"truth": prediction.truth, "answer": prediction.answer}
    return {**values, "scores": list(prediction.scores)} if prediction.scores else values


def _prediction(row: dict[str, Any]) -> Prediction:
    heads = {
        head: HeadPrediction(
            _names(values["truth"]),
            cast(str | tuple[str, ...], _names(values["answer"])),
            tuple(values.get("scores", ())),
        )
        for head, values in row["heads"].items()
    }
    return Prediction(row["seed"], row["fold"], row["id"], row["source"], heads)


def _names(label: str | list[str] | None) -> Label:
    return tuple(label) if isinstance(label, list) else label
