"""Cuts in a video, found on the frames that a model reads anyway."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.video.opencv import import_opencv

MIN_DIFFERENCE = 10.0  # of hue, saturation and value on average, each 0 to 255
MIN_RATIO = 3.0  # to what is usual around it
REACH = 4  # steps before and after that say what is usual


class CutDetector:
    """Finds cuts between frames that come one after the other.

    A frame begins a new shot if it differs from the one before by more than `MIN_DIFFERENCE` and by more than
    `MIN_RATIO` times the median difference of the `REACH` frames before and after. What comes last is decided `REACH`
    frames later.
    """

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._differences: list[float] = []  # of the last steps
        self._first = 0  # the step of the first of them
        self._num_decided = 0

    @property
    def num_settled(self) -> int:
        """It is known where the cuts before this step are."""
        return self._num_decided

    def push(self, frames: np.ndarray) -> list[int]:
        """Takes the next frames.

        Args:
            frames: uint8 RGB [n, H, W, 3].

        Returns:
            The cuts that have become certain, as the number of the frame that begins a shot.
        """
        self._differences += [self._difference(frame) for frame in frames]
        return self._decide(self._first + len(self._differences) - REACH)

    def finish(self) -> list[int]:
        """The cuts among the last frames."""
        return self._decide(self._first + len(self._differences))

    def state(self) -> tuple[list[float], np.ndarray | None]:
        """All that it remembers, for `restore`."""
        return [float(self._first), float(self._num_decided), *self._differences], self._before

    def restore(self, state: tuple[Sequence[float], np.ndarray | None]) -> None:
        """Goes on from a `state`."""
        (first, num_decided, *self._differences), self._before = state
        self._first, self._num_decided = int(first), int(num_decided)

    def _decide(self, end: int) -> list[int]:
        cuts = [step for step in range(self._num_decided, end) if self._is_cut(step - self._first)]
        self._num_decided = max(end, self._num_decided)
        num_old = max(self._num_decided - REACH - self._first, 0)
        del self._differences[:num_old]
        self._first += num_old
        return cuts

    def _is_cut(self, at: int) -> bool:
        around = self._differences[max(at - REACH, 0) : at] + self._differences[at + 1 : at + 1 + REACH]
        usual = max(statistics.median(around), 1.0) if around else 1.0
        return self._differences[at] > max(MIN_DIFFERENCE, MIN_RATIO * usual)

    def _difference(self, frame: np.ndarray) -> float:
        cv2 = import_opencv()
        colors = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.int16)
        before, self._before = self._before, colors
        return 0.0 if before is None else float(np.abs(colors - before).mean())
