"""How far the answers of two forms of a model are apart."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.run_folder.run import Run


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far two sets of scores of the same clips are apart.

    Attributes:
        max_difference: The largest difference of a score; None where one is not a number.
        label_agreement: The share of clips with the same answer, 0 to 1.
    """

    max_difference: float | None
    label_agreement: float

    def to_json(self) -> dict[str, float | None]:
        """`{"max_difference", "label_agreement"}`."""
        return dataclasses.asdict(self)


def compare_scores(scores: np.ndarray, expected: np.ndarray, head: str, run: Run) -> Agreement:
    """Compares two sets of scores [n, K] of one head for the same clips."""
    difference = float(np.abs(scores - expected).max())
    answers, expected_answers = (decide(values, run.thresholds.get(head)) for values in (scores, expected))
    return Agreement(difference if math.isfinite(difference) else None, share_alike(answers, expected_answers))


def share_alike(answers: np.ndarray, others: np.ndarray) -> float:
    """The share of clips whose answers are the same altogether."""
    return float(np.mean((answers == others).reshape(len(answers), -1).all(axis=1)))
