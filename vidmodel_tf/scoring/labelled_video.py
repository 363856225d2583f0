"""A video of which both the scores and the truth are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from vidmodel_tf.scoring.overlap import TimeRange
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.scoring.truth import HeadLabel


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledVideo:
    """A video that is scored.

    Attributes:
        name: What messages call it.
        scores: What a model said.
        ranges: What happened: in order and without overlaps; a class that is not named did not happen.
    """

    name: str
    scores: TimedScores
    ranges: Mapping[HeadLabel, tuple[TimeRange, ...]]

    def true_ranges(self, what: HeadLabel) -> tuple[TimeRange, ...]:
        """When a class happened."""
        return self.ranges.get(what, ())

    def true_steps(self, what: HeadLabel) -> np.ndarray:
        """Whether the centre of each step lies in a true range, booleans [S]."""
        step, end = self.scores.step_seconds, self.scores.end_seconds
        starts = np.arange(self.scores.num_steps) * step
        centres = (starts + np.minimum(starts + step, end)) / 2  # the last step may be shorter than the others
        is_true = np.zeros(len(centres), bool)
        for start, stop in self.true_ranges(what):
            is_true |= (start <= centres) & (centres < stop)
        return is_true
