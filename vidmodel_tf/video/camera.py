"""A camera that is watched: its frames as they come, over every loss of the connection.

A process of its own reads it, because nothing else can end a call that hangs in C; here it is begun, watched over,
killed and begun again.
"""

from __future__ import annotations

import contextlib
import multiprocessing.context
import multiprocessing.process
import os
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self, cast

from vidmodel_tf.video import camera_process
from vidmodel_tf.video.camera_process import CameraPlan, SentFrame
from vidmodel_tf.workers import worker_context

SILENT_SECONDS = 8.0  # after which a process that gives nothing is killed
START_SECONDS = 30.0  # that a process has to begin, on a machine that is busy
PATIENT_SECONDS = 60.0  # of an outage, in which it is tried again every
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
_CHECK_SECONDS = 0.25
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


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
        self._silent_seconds = silent_seconds
        self._lock = threading.Lock()
        self._frames: deque[LiveFrame] = deque()
        self._news: deque[CameraNews] = deque()
        self._stop = threading.Event()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._process_lock = threading.Lock()
        self._deadline = float("inf")
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
        """Ends the process. May be called twice."""
        self._stop.set()
        self._kill()
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
            if time.monotonic() > self._deadline:
                self._kill()

    def _kill(self, *, is_last: bool = False) -> None:
        with self._process_lock:
            process = self._process
            if process is not None and process.pid is not None:
                with contextlib.suppress(OSError):
                    os.kill(process.pid, _KILL)  # SIGTERM would not end a process that is stopped
            if is_last:  # once it has been waited for, its number may be another's
                self._process = None

    def _read_on(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            # Inherited by the processes: Ctrl-C on a terminal reaches them too, and is this process's business.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
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
        """Runs one process until it ends, and says why."""
        context = cast(multiprocessing.context.SpawnContext, worker_context())  # it has the same methods
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=camera_process.run_camera_process, args=(theirs, self._plan), daemon=True)
        self._part, self._deadline = None, time.monotonic() + START_SECONDS
        try:
            process.start()
        except OSError as error:
            return self._fail(f"no process can be started ({error.strerror})")
        finally:
            theirs.close()
        self._process = process
        try:
            return "" if self._stop.is_set() else self._receive(ours)
        finally:
            self._deadline = float("inf")
            ours.close()
            self._kill(is_last=True)
            process.join()

    def _receive(self, connection: Connection) -> str:
        while True:
            try:
                message = connection.recv_bytes()
            except (EOFError, OSError):
                is_late = time.monotonic() > self._deadline
                silence = f"no picture for {self._silent_seconds:g} seconds"
                return self._fail(silence if is_late else "the process that reads it died")
            kind, rest = message[:1], message[1:]
            if kind == camera_process.FAILED:
                return self._fail(rest.decode())
            if kind == camera_process.ENDED:
                self._end("")
                return ""
            if kind == camera_process.FRAME:
                self._add(SentFrame.from_bytes(message))
            self._deadline = time.monotonic() + self._silent_seconds

    def _fail(self, reason: str) -> str:
        """A stream is tried again; a file would begin anew."""
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
