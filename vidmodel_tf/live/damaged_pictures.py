"""Damage of a stream, told in one line now and then: scores of such seconds mean little."""

from __future__ import annotations

from collections.abc import Callable

PERIOD_SECONDS = 60.0


class DamagedPictures:
    """Tells how much was damaged since the last time, at most once a minute.

    Args:
        source: The name of the source.
        warn: Told.
    """

    def __init__(self, source: str, warn: Callable[[str], None]) -> None:
        self._source, self._warn = source, warn
        self._num_told = 0
        self._next = float("-inf")

    def push(self, num_damaged: int, now: float) -> None:
        """Takes the count.

        Args:
            num_damaged: Packets and pictures since the watch began.
            now: Seconds by any clock.
        """
        if num_damaged == self._num_told or now < self._next:
            return
        self._warn(
            f"{self._source}: {num_damaged - self._num_told} packets or pictures were damaged or incomplete; the "
            "scores of these seconds mean little"
        )
        self._num_told, self._next = num_damaged, now + PERIOD_SECONDS
