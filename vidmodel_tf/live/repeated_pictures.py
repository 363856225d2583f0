"""A net under cameras that stand still or are too slow: their frames repeat, and a model of motion sees nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

PERIOD_SECONDS = 10.0
TOLD_SHARE = 0.5
FINE_SHARE = 0.25  # below, it may be told again


class RepeatedPictures:
    """Tells when more than half of the frames of the last seconds are the same as the one before, byte for byte.

    Args:
        source: The name of the source.
        step_seconds: From a frame to the next.
        warn: Told, once each time that it begins.
    """

    def __init__(self, source: str, step_seconds: float, warn: Callable[[str], None]) -> None:
        self._source, self._step_seconds, self._warn = source, step_seconds, warn
        self._repeats: deque[bool] = deque(maxlen=max(round(PERIOD_SECONDS / step_seconds), 2))
        self._last = b""
        self._is_told = False

    def push(self, jpeg: bytes) -> None:
        """Takes the next frame."""
        self._repeats.append(jpeg == self._last)
        self._last = jpeg
        if len(self._repeats) < (self._repeats.maxlen or 0):
            return
        share = sum(self._repeats) / len(self._repeats)
        if share > TOLD_SHARE and not self._is_told:
            self._warn(
                f"{self._source}: most pictures are the same as the one before: it stands still, or gives fewer than "
                f"the {1 / self._step_seconds:.1f} a second that the model looks at; its scores mean little"
            )
        self._is_told = share > (FINE_SHARE if self._is_told else TOLD_SHARE)
