"""Scores over time: what a model says at every step of a video or stream. NumPy only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from vidmodel_tf.errors import InputError

DECIMALS = 4
"""Scores over time are rounded to so many places before anything is decided: what is drawn again from a file, in
Python or in a browser, then comes out the same."""


@dataclasses.dataclass(frozen=True, eq=False)
class HeadScores:
    """The scores of one head.

    Attributes:
        labels: Class names by id, K of them.
        scores: float64 [S, K], 0 to 1, rounded to `DECIMALS`; one row a step.
    """

    labels: tuple[str, ...]
    scores: np.ndarray

    def track(self, label: str) -> np.ndarray:
        """The scores of one class, [S].

        Raises:
            InputError: The head has no such class.
        """
        if label not in self.labels:
            raise InputError(f"expected one of the classes {', '.join(self.labels)}. Received: {label!r}")
        return self.scores[:, self.labels.index(label)]


@dataclasses.dataclass(frozen=True, eq=False)
class TimedScores:
    """Scores of a video, a row for each step of equal length.

    Row i is about [i * step_seconds, (i + 1) * step_seconds), the last at most until `duration_seconds`.

    Attributes:
        step_seconds: More than 0.
        duration_seconds: Of the video; None for a stream, which does not end.
        heads: By the name of the head.
    """

    step_seconds: float
    duration_seconds: float | None
    heads: dict[str, HeadScores]

    @classmethod
    def of(
        cls,
        step_seconds: float,
        duration_seconds: float | None,
        labels: Mapping[str, Sequence[str]],
        scores: Mapping[str, np.ndarray],
    ) -> TimedScores:
        """Rounds scores as they will be stored.

        Args:
            step_seconds: More than 0.
            duration_seconds: Of the video, or None.
            labels: Class names by head.
            scores: [S, K] by head.
        """
        heads = {
            head: HeadScores(tuple(names), np.round(np.asarray(scores[head], np.float64), DECIMALS))
            for head, names in labels.items()
        }
        return cls(step_seconds, duration_seconds, heads)

    @property
    def num_steps(self) -> int:
        """S, the number of rows."""
        return len(next(iter(self.heads.values())).scores) if self.heads else 0

    @property
    def end_seconds(self) -> float:
        """Where the last row ends."""
        end = self.num_steps * self.step_seconds
        return end if self.duration_seconds is None else min(end, self.duration_seconds)

    def head(self, name: str) -> HeadScores:
        """The scores of one head.

        Raises:
            InputError: There is no such head.
        """
        if name not in self.heads:
            raise InputError(f"expected one of the heads {', '.join(self.heads)}. Received: {name!r}")
        return self.heads[name]
