"""How well the scores of a class, step by step, tell when it happens: without thresholds, without events."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.truth import HeadLabel


@dataclasses.dataclass(frozen=True)
class StepFigures:
    """Figures over all steps of all videos.

    Attributes:
        num_steps: How many steps there are.
        base_rate: The share of steps that are true; the average precision of scores that say nothing.
        auc: The area under the ROC curve: how often a true step has a higher score than another one (0.5: by chance).
        average_precision: scikit-learn's, not interpolated.
        reason: Why the last two are None; None where they are known.
    """

    num_steps: int
    base_rate: float | None
    auc: float | None
    average_precision: float | None
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return dataclasses.asdict(self)


def step_metrics(videos: Sequence[LabelledVideo], what: HeadLabel) -> StepFigures:
    """Measures the scores of one class.

    A step is true if its centre lies in a true range. Every step counts the same, whichever video it is of.

    Raises:
        InputError: A video has no scores of this class.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    is_true = np.concatenate([video.true_steps(what) for video in videos] or [np.zeros(0, bool)])
    scores = np.concatenate([video.scores.head(what.head).track(what.label) for video in videos] or [np.zeros(0)])
    base_rate = float(is_true.mean()) if len(is_true) else None
    if base_rate in (None, 0.0, 1.0):
        reason = {None: "there are no steps", 0.0: "no step is true"}.get(base_rate, "every step is true")
        return StepFigures(len(is_true), base_rate, None, None, reason)
    return StepFigures(
        len(is_true),
        base_rate,
        float(roc_auc_score(is_true, scores)),
        float(average_precision_score(is_true, scores)),
    )
