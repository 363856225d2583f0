"""Scores of windows -> scores of steps: the mean over the windows that cover a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidmodel_tf.scoring.windows import Window

StepScore = tuple[int, dict[str, np.ndarray]]
"""A step and its scores, float64 [K] by head."""


class StepScores:
    """Gathers the scores of windows as they come.

    Args:
        num_classes: K by head.
    """

    def __init__(self, num_classes: Mapping[str, int]) -> None:
        self._first_step = 0  # of those that were not taken; the first row is of this step
        self._sums = {head: np.zeros((0, count)) for head, count in num_classes.items()}
        self._counts = np.zeros(0, np.int32)

    def add(self, windows: Sequence[Window], scores: Mapping[str, np.ndarray]) -> None:
        """Adds windows.

        Args:
            windows: B of them; none counts for steps that were taken.
            scores: [B, K] by head.
        """
        if not windows:
            return
        self._grow(max(window.count_to for window in windows) - self._first_step)
        for row, window in enumerate(windows):
            rows = slice(window.count_from - self._first_step, window.count_to - self._first_step)
            self._counts[rows] += 1
            for head, values in scores.items():
                self._sums[head][rows] += values[row]

    def mean(self, num_rows: int) -> dict[str, np.ndarray]:
        """float64 [num_rows, K] by head; rows that no window covers repeat the nearest row before, else after."""
        covered = np.flatnonzero(self._counts[:num_rows])
        if not len(covered):
            return {head: np.zeros((0, sums.shape[1])) for head, sums in self._sums.items()}
        rows = covered[np.maximum(np.searchsorted(covered, np.arange(num_rows), side="right") - 1, 0)]
        return self._mean_of(rows)

    def take(self, end_step: int) -> list[StepScore]:
        """The means of the steps before one, of those that a window covers; they are forgotten here."""
        num_rows = min(max(end_step - self._first_step, 0), len(self._counts))
        rows = np.flatnonzero(self._counts[:num_rows])
        means = self._mean_of(rows)
        taken = [
            (self._first_step + row, {head: values[number] for head, values in means.items()})
            for number, row in enumerate(rows.tolist())
        ]
        self._first_step += num_rows
        self._counts = self._counts[num_rows:].copy()
        self._sums = {head: sums[num_rows:].copy() for head, sums in self._sums.items()}
        return taken

    def state(self) -> dict[str, np.ndarray]:
        """All that it remembers, for `restore`, of scores of which none was taken."""
        return {"counts": self._counts, **{f"sums/{head}": sums for head, sums in self._sums.items()}}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a `state`."""
        self._counts = state["counts"]
        self._sums = {head: state[f"sums/{head}"] for head in self._sums}

    def _mean_of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {head: sums[rows] / self._counts[rows, np.newaxis] for head, sums in self._sums.items()}

    def _grow(self, num_rows: int) -> None:
        missing = num_rows - len(self._counts)
        if missing <= 0:
            return
        missing += num_rows  # twice the room, so that a long video is not copied at every window
        self._counts = np.pad(self._counts, (0, missing))
        self._sums = {head: np.pad(sums, ((0, missing), (0, 0))) for head, sums in self._sums.items()}
