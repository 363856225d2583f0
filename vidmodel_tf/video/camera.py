"""A camera that is watched: its frames as they come, over every loss of the connection."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Self

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video.camera_process import CameraPlan, SentFrame
from vidmodel_tf.video.camera_reader import CameraReader

SILENT_SECONDS = 8.0  # after which a process that gives nothing is killed
PATIENT_SECONDS = 60.0  # of an outage, in which it is tried again every
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
_CHECK_SECONDS = 0.25


@dataclass(frozen=True)
class LiveFrame:
    """One frame of a camera.

    Attributes:
        arrival: When it came, in seconds since 1970.
        is_fresh: It does not follow the frame before it: a new window begins here, without motion.
        jpeg: As a data set stores it.
    """

    arrival: float
    is_fresh: bool
    jpeg: bytes


@dataclass(frozen=True)
class CameraNews:
    """What happened to a camera.

    Attributes:
        kind: "connected", "lost", "dropped" or "ended" (of a file).
        reason: Of a loss; of an end: why the file cannot be read, if it cannot.
        seconds: Dropped.
    """

    kind: str
    reason: str = ""
    seconds: float = 0.0


def wait_seconds(outage_seconds: float, last_wait_seconds: float) -> float:
    """How long to wait before an address is tried again.

    Example:
        >>> wait_seconds(10, 1), wait_seconds(70, 1), wait_seconds(90, 16)
        (1.0, 2.0, 30.0)
    """
    if outage_seconds < PATIENT_SECONDS:
        return FIRST_WAIT_SECONDS
    return min(2.0 * last_wait_seconds, LONGEST_WAIT_SECONDS)


class Camera:
    """Reads one address until it is closed.

    Args:
        plan: What to read.
        max_waiting: Frames of one window. When more wait for `take`, all of them are dropped, counted and told, and a
            fresh window begins: single lost frames would change the distances that the model was trained with.
        wake: Set whenever there is something to take.
        silent_seconds: A process that gives nothing for so long is killed.
    """

    def __init__(
        self,
        plan: CameraPlan,
        max_waiting: int,
        wake: threading.Event | None = None,
        *,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._plan = plan
        self._max_waiting = max_waiting
        self._wake = wake or threading.Event()
        self._reader = CameraReader(plan, silent_seconds)
        self._lock = threading.Lock()
        self._frames: deque[LiveFrame] = deque()
        self._news: deque[CameraNews] = deque()
        self._stop = threading.Event()
        self._lost_since: float | None = time.monotonic()
        self._is_lost_told = False
        self._part: int | None = None  # of the newest frame of this connection
        self._num_corrupt = 0  # of this connection
        self.dropped_seconds = 0.0
        self.num_corrupt = 0
        self.is_ended = False
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read_on, self._watch_over)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it. May be called twice."""
        self._stop.set()
        self._reader.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def take(self, max_frames: int | None = None) -> tuple[list[CameraNews], list[LiveFrame]]:
        """What happened since the last call, and the frames that wait, the oldest first.

        Args:
            max_frames: At most so many; None: all.
        """
        with self._lock:
            news = list(self._news)
            self._news.clear()
            count = len(self._frames) if max_frames is None else min(max_frames, len(self._frames))
            return news, [self._frames.popleft() for _ in range(count)]

    @property
    def is_connected(self) -> bool:
        """Whether frames are coming."""
        return self._lost_since is None

    def _watch_over(self) -> None:
        while not self._stop.wait(_CHECK_SECONDS):
            self._reader.kill_if_silent()

    def _read_on(self) -> None:
        try:
            self._try_on()
        finally:
            self._reader.end()

    def _try_on(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            reason = self._read_once()
            if self._stop.is_set() or self.is_ended:
                return
            if self._lost_since is None:
                self._lost_since, wait = time.monotonic(), FIRST_WAIT_SECONDS
            self._tell_lost(reason)
            wait = wait_seconds(time.monotonic() - self._lost_since, wait)
            self._stop.wait(wait)

    def _read_once(self) -> str:
        """Reads until the connection is lost, and says why. A file is not tried again: it would begin anew."""
        self._part, reason = None, ""
        try:
            for frame in self._reader.read():
                self._add(frame)
        except VidmodelError as error:
            reason = str(error)
        if self._plan.address.kind == "file":
            self._end(reason)
        return reason

    def _end(self, reason: str) -> None:
        with self._lock:  # whoever finds it ended finds the reason too
            self._news.append(CameraNews("ended", reason))
            self.is_ended = True
        self._wake.set()

    def _tell_lost(self, reason: str) -> None:
        if not self._is_lost_told:
            self._is_lost_told = True
            self._tell(CameraNews("lost", reason))

    def _tell(self, news: CameraNews) -> None:
        with self._lock:
            self._news.append(news)
        self._wake.set()

    def _add(self, sent: SentFrame) -> None:
        if self._lost_since is not None:
            self._lost_since, self._is_lost_told = None, False
            self._tell(CameraNews("connected"))
        is_fresh = sent.part != self._part
        self.num_corrupt += sent.num_corrupt - (0 if self._part is None else self._num_corrupt)
        self._part, self._num_corrupt = sent.part, sent.num_corrupt
        with self._lock:
            if len(self._frames) >= self._max_waiting:
                seconds = len(self._frames) * self._plan.step_seconds
                self.dropped_seconds += seconds
                self._news.append(CameraNews("dropped", seconds=seconds))
                self._frames.clear()
                is_fresh = True
            self._frames.append(LiveFrame(sent.arrival, is_fresh, sent.jpeg))
        self._wake.set()
