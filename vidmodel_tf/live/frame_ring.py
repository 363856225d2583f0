"""The newest frames of a source, for pictures and cuts of events that turn out to be worth keeping."""

from __future__ import annotations

import bisect
from collections import deque


class FrameRing:
    """Keeps as many JPEG frames as it has room for.

    Args:
        num_frames: Room.
    """

    def __init__(self, num_frames: int) -> None:
        self._steps: deque[int] = deque(maxlen=num_frames)
        self._jpegs: deque[bytes] = deque(maxlen=num_frames)
        self._last_lost = -1

    def push(self, step: int, jpeg: bytes) -> None:
        """Adds the frame of a step later than all before."""
        if len(self._steps) == self._steps.maxlen:
            self._last_lost = self._steps[0]
        self._steps.append(step)
        self._jpegs.append(jpeg)

    @property
    def newest(self) -> bytes | None:
        """The last frame."""
        return self._jpegs[-1] if self._jpegs else None

    @property
    def end_step(self) -> int:
        """The step after that of the last frame."""
        return self._steps[-1] + 1 if self._steps else 0

    def has_lost(self, step: int) -> bool:
        """Whether there was no room any more for the frame of a step or of a later one."""
        return step <= self._last_lost

    def between(self, first_step: int, end_step: int) -> list[tuple[int, bytes]]:
        """What is left of the frames of some steps, half open."""
        first, end = (bisect.bisect_left(self._steps, step) for step in (first_step, end_step))
        return [(self._steps[row], self._jpegs[row]) for row in range(first, end)]

    def nearest(self, step: int) -> bytes | None:
        """The frame of a step, or of the one nearest to it that is left."""
        if not self._steps:
            return None
        return self._jpegs[min(range(len(self._steps)), key=lambda row: abs(self._steps[row] - step))]
