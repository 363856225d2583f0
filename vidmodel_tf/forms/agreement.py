"""How far the answers of two forms of a model are apart."""

from __future__ import annotations

import math

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.run_folder.run import Run


def compare_scores(scores: np.ndarray, expected: np.ndarray, head: str, run: Run) -> dict[str, float | None]:
    """Two sets of scores [n, K] of the same clips.

    Returns:
        `max_difference` of a score, None where one is not a number, and `label_agreement`, the share of clips with the
        same answer.
    """
    difference = float(np.abs(scores - expected).max())
    same = share_alike(*(decide(values, run.thresholds.get(head)) for values in (scores, expected)))
    return {"max_difference": difference if math.isfinite(difference) else None, "label_agreement": same}


def share_alike(answers: np.ndarray, others: np.ndarray) -> float:
    """The share of clips whose answers are the same altogether."""
    return float(np.mean((answers == others).reshape(len(answers), -1).all(axis=1)))
