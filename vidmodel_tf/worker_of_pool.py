"""One of the processes of a pool: a task goes to it through a pipe, and its result comes back."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing.connection
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from vidmodel_tf.errors import VidmodelError, cause
from vidmodel_tf.workers import begin_worker, cause_of_death, worker_context

_EXIT_SECONDS = 1.0  # between the end of a process's pipe and its own
_reaping = threading.Lock()  # whoever starts a process looks whether others are dead, and may take their exit code


class WorkerDiedError(Exception):
    """The process died in a task; its message says of what."""


class StartError(Exception):
    """The process died before it could begin; its message says of what."""


class TaskTimeoutError(Exception):
    """A task took too long, and its process was killed."""


def not_started(error: StartError) -> VidmodelError:
    """What users are told where no process can be started."""
    return VidmodelError(f"worker processes die when they are started ({error})")


class PoolWorker:
    """A process that calls functions. It is started when there is one to call, and again after its death.

    One thread calls; others may end the process meanwhile.

    Args:
        begin: Called first in the process.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._is_closed = False

    def call(self, message: bytes, timeout_seconds: float | None) -> Any:
        """The result of a function.

        Args:
            message: The function and its arguments, pickled.
            timeout_seconds: From when the process begins it; None: for ever.

        Raises:
            WorkerDiedError: Also if the process was ended by another thread.
            StartError: The process did not come so far as to call it.
            TaskTimeoutError: It took too long.
            Exception: What the function raised.
        """
        connection = self._started()
        try:
            connection.send_bytes(message)
            connection.recv_bytes()  # it begins
            if not connection.poll(timeout_seconds):
                self.end()
                raise TaskTimeoutError
            answer = connection.recv_bytes()
        except (EOFError, OSError):
            raise WorkerDiedError(self._cause_of_death()) from None
        result, error = pickle.loads(answer)
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        """Kills the process, if there is one. Not for one that another thread calls."""
        with self._lock:
            process, connection, self._process, self._connection = self._process, self._connection, None, None
        if process is not None and connection is not None:
            connection.close()
            _kill(process)
            _wait(process)

    def close(self) -> None:
        """Kills the process and lets no other begin; `end` is still to be called by the thread that calls."""
        self._is_closed = True
        with self._lock:
            if self._process is not None:
                _kill(self._process)

    def _started(self) -> Connection:
        if self._connection is not None and self._is_alive():
            return self._connection
        self.end()
        context = worker_context()
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, pickle.dumps(self._begin)), daemon=True)
        try:
            self._start(process, ours)
            theirs.close()
            ours.recv_bytes()
        except (EOFError, OSError) as error:
            theirs.close()
            raise StartError(self._cause_of_death() or str(error)) from None
        return ours

    def _start(self, process: BaseProcess, connection: Connection) -> None:
        with self._lock, _reaping:
            if self._is_closed:
                raise WorkerDiedError("it was ended")
            process.start()
            self._process, self._connection = process, connection

    def _is_alive(self) -> bool:
        with self._lock, _reaping:
            return self._process is not None and self._process.is_alive()

    def _cause_of_death(self) -> str:
        """Of a process that closed its pipe; it has an exit code soon."""
        process = self._process
        if process is None:
            return ""
        _wait(process, _EXIT_SECONDS)
        self.end()
        return cause_of_death(process.exitcode or 0)


def _kill(process: BaseProcess) -> None:
    with _reaping:
        if process.is_alive() and process.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # a handler of the user's program has waited for it
                os.kill(process.pid, signal.SIGKILL)  # one that hangs or was stopped takes no other


def _wait(process: BaseProcess, seconds: float | None = None) -> None:
    if multiprocessing.connection.wait([process.sentinel], seconds):
        with _reaping:
            process.join()


def _serve(connection: Connection, begin: bytes) -> None:
    """Calls functions until nobody asks for more."""
    begin_worker()
    pickle.loads(begin)()  # only now, as it may import for seconds, in which the parent may be killed
    connection.send_bytes(b"")
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            call = _read_call(connection.recv_bytes())
            connection.send_bytes(b"")
            connection.send_bytes(_answer(call))


def _read_call(message: bytes) -> Callable[[], Any]:
    """A function with its arguments; to read it may import its module, which is not part of its time."""
    try:
        function, arguments = pickle.loads(message)
    except Exception as error:
        return functools.partial(_raise, error)
    return functools.partial(function, *arguments)


def _raise(error: Exception) -> None:
    raise error


def _answer(call: Callable[[], Any]) -> bytes:
    """What a function returns, or what it raises, pickled."""
    try:
        return pickle.dumps((call(), None))
    except Exception as error:
        return pickle.dumps((None, sendable(error)))


def sendable(error: Exception) -> Exception:
    """An exception that another process can read, with its traceback as a note where it tells of a mistake."""
    if not isinstance(error, VidmodelError):
        error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # what other libraries raise may hold anything, and may be made in any way
        return RuntimeError(f"{type(error).__name__}: {cause(error)}")
    return error
