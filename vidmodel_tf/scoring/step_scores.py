"""Scores of windows -> scores of steps: the mean over the windows that cover a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidmodel_tf.scoring.windows import Window


class StepScores:
    """Gathers the scores of windows as they come.

    Args:
        num_classes: K by head.
    """

    def __init__(self, num_classes: Mapping[str, int]) -> None:
        self._sums = {head: np.zeros((0, count)) for head, count in num_classes.items()}
        self._counts = np.zeros(0, np.int32)

    def add(self, windows: Sequence[Window], scores: Mapping[str, np.ndarray]) -> None:
        """Adds windows.

        Args:
            windows: B of them.
            scores: [B, K] by head.
        """
        if not windows:
            return
        self._grow(max(window.count_to for window in windows))
        for row, window in enumerate(windows):
            steps = slice(window.count_from, window.count_to)
            self._counts[steps] += 1
            for head, values in scores.items():
                self._sums[head][steps] += values[row]

    def mean(self, num_rows: int) -> dict[str, np.ndarray]:
        """float64 [num_rows, K] by head; rows that no window covers repeat the nearest row before, else after."""
        covered = np.flatnonzero(self._counts[:num_rows])
        if not len(covered):
            return {head: np.zeros((0, sums.shape[1])) for head, sums in self._sums.items()}
        rows = covered[np.maximum(np.searchsorted(covered, np.arange(num_rows), side="right") - 1, 0)]
        return {head: sums[rows] / self._counts[rows, np.newaxis] for head, sums in self._sums.items()}

    def state(self) -> dict[str, np.ndarray]:
        """All that it remembers, for `restore`."""
        return {"counts": self._counts, **{f"sums/{head}": sums for head, sums in self._sums.items()}}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a `state`."""
        self._counts = state["counts"]
        self._sums = {head: state[f"sums/{head}"] for head in self._sums}

    def _grow(self, num_steps: int) -> None:
        missing = num_steps - len(self._counts)
        if missing <= 0:
            return
        missing += num_steps  # twice the room, so that a long video is not copied at every window
        self._counts = np.pad(self._counts, (0, missing))
        self._sums = {head: np.pad(sums, ((0, missing), (0, 0))) for head, sums in self._sums.items()}
