"""The process that reads a camera: begun when it is needed, told to try again, killed when it is silent.

A process of its own, because nothing else can end a call that hangs in C.
"""

from __future__ import annotations

import contextlib
import multiprocessing.process
import os
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video import camera_process
from vidmodel_tf.video.camera_process import CameraPlan, SentFrame
from vidmodel_tf.workers import worker_context

START_SECONDS = 30.0  # that a process has to begin, on a machine that is busy
MAX_TRIES = 100  # of one process: what the libraries in it leak goes with it
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class CameraReader:
    """Connects to a camera as often as it is asked to. A process that did not die of the last try makes the next one.

    Args:
        plan: What to read.
        silent_seconds: A process that gives nothing for so long is killed by `kill_if_silent`.
    """

    def __init__(self, plan: CameraPlan, silent_seconds: float) -> None:
        self._plan = plan
        self._silent_seconds = silent_seconds
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._num_tries = 0  # of the process
        self._deadline = float("inf")
        self._is_closed = False

    def read(self) -> Iterator[SentFrame]:
        """Connects, and gives the frames as they come. They end with a file.

        Raises:
            VidmodelError: Why there is no connection, or none any more.
        """
        connection = self._try_again() or self._begin()
        while True:
            try:
                message = connection.recv_bytes()
            except (EOFError, OSError):
                is_late = time.monotonic() > self._deadline
                self.end()
                silence = f"no picture for {self._silent_seconds:g} seconds"
                raise VidmodelError(silence if is_late else "the process that reads it died") from None
            kind, rest = message[:1], message[1:]
            if kind in (camera_process.FAILED, camera_process.ENDED):
                self._deadline = float("inf")
                if kind == camera_process.ENDED:
                    return
                raise VidmodelError(rest.decode())
            if kind == camera_process.FRAME:
                yield SentFrame.from_bytes(message)
            self._deadline = time.monotonic() + self._silent_seconds

    def kill_if_silent(self) -> None:
        """To be called now and then by another thread than the one that reads."""
        if time.monotonic() > self._deadline:
            self._kill()

    def close(self) -> None:
        """Ends what another thread reads, for ever. `end` is still to be called by that thread."""
        self._is_closed = True
        self._kill()

    def end(self) -> None:
        """Ends the process, if there is one."""
        self._deadline, self._num_tries = float("inf"), 0
        self._kill()
        with self._lock:  # once it has been waited for, its number may be another's
            process, self._process = self._process, None
        if process is not None:
            process.join()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try_again(self) -> Connection | None:
        if self._connection is None or self._num_tries >= MAX_TRIES:
            self.end()
            return None
        try:
            self._connection.send_bytes(camera_process.AGAIN)
        except OSError:
            self.end()
            return None
        self._num_tries += 1
        self._deadline = time.monotonic() + self._silent_seconds
        return self._connection

    def _begin(self) -> Connection:
        context = worker_context()
        ours, theirs = context.Pipe()
        self._connection = ours
        process = context.Process(target=camera_process.run_camera_process, args=(theirs, self._plan), daemon=True)
        self._num_tries, self._deadline = 1, time.monotonic() + START_SECONDS
        try:
            process.start()
        except OSError as error:
            self.end()
            raise VidmodelError(f"no process can be started ({error.strerror})") from None
        finally:
            theirs.close()
        with self._lock:
            self._process = process
        if self._is_closed:
            self._kill()
        return ours

    def _kill(self) -> None:
        with self._lock:
            if self._process is not None and self._process.pid is not None:
                with contextlib.suppress(OSError):
                    os.kill(self._process.pid, _KILL)  # SIGTERM would not end a process that is stopped
