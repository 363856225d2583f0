"""Work that must not hold up the watch: one thread does it, and what is too much is dropped and told."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

Work = Callable[[], None]
Dropped = Callable[[str], None]
"""Told why work was dropped, or failed."""

_CHECK_SECONDS = 0.1


class WorkQueue:
    """Does work in the order in which it came.

    Args:
        max_waiting: More is dropped.
    """

    def __init__(self, max_waiting: int = 16) -> None:
        self._queue: queue.Queue[tuple[Work, Dropped]] = queue.Queue(max_waiting)
        self._is_closing = threading.Event()
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, work: Work, drop: Dropped) -> bool:
        """Queues work.

        Args:
            work: Is to look at `stop` if it takes long.
            drop: Told if it is not done, or fails; perhaps in another thread.

        Returns:
            Whether there was room.
        """
        try:
            self._queue.put_nowait((work, drop))
        except queue.Full:
            drop(f"{self._queue.maxsize} were waiting already")
            return False
        return True

    def close(self, deadline: float) -> None:
        """Does what is waiting until a time by `time.monotonic`, and drops the rest. May be called twice."""
        self._is_closing.set()
        self._thread.join(max(deadline - time.monotonic(), 0))
        self.stop.set()
        self._thread.join(2 * _CHECK_SECONDS)
        while not self._queue.empty():
            _, drop = self._queue.get_nowait()
            drop("the watch ended")

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                work, drop = self._queue.get(timeout=_CHECK_SECONDS)
            except queue.Empty:
                if self._is_closing.is_set():
                    return
                continue
            try:
                work()
            except Exception as error:  # whatever fails here must not end the watch
                drop(str(error) or type(error).__name__)
