"""Work on a file in a process of its own: a file that hangs or crashes a decoder ends that process and no other."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.decoder import begin_decoding
from vidmodel_tf.workers import cause_of_death, sign_of_life, worker_context

_EXIT_SECONDS = 1.0  # between the end of a process's pipe and its own
_DISK_FAILURES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

Tell = Callable[[Any], None]
"""Sends a value to the process that has begun the work."""


class DecoderDiedError(InputError):
    """The process has come to an end, or had to be ended, because of the file."""


class WorkerProcess:
    """A function that works on a file and tells what it finds. A context manager that ends the process.

    Args:
        path: The file, for messages.
        timeout_seconds: The process is ended if it tells nothing for so long.
        function: Called with a `Tell` and the arguments; one that can be imported.
        arguments: What it is called with.
    """

    def __init__(self, path: Path, timeout_seconds: float, function: Callable[..., None], *arguments: object) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        context = worker_context()
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(sender, function, arguments), daemon=True)
        self._process.start()
        sender.close()  # so that the end of the process is seen

    def receive(self) -> Any:
        """The next value that was told.

        Raises:
            InputError: The function has raised it.
            OSError: Likewise: the disk is full, say.
            DecoderDiedError: Nothing was told for too long, or the process is dead.
        """
        try:
            value = Alive()
            while isinstance(value, Alive):
                if not self._receiver.poll(self._timeout_seconds):
                    raise DecoderDiedError(
                        f"was silent for {self._timeout_seconds:g} seconds: it is damaged, or its storage is slow",
                        subject=self._path,
                    )
                value = self._receiver.recv()
        except (EOFError, OSError):
            self._process.join(_EXIT_SECONDS)
            cause = cause_of_death(self._process.exitcode or 0)
            raise DecoderDiedError(f"the decoder crashed on it ({cause})", subject=self._path) from None
        if isinstance(value, _Raised):
            raise value.error
        return value

    def close(self) -> None:
        """Ends the process. May be called twice."""
        if self._process.is_alive():
            os.kill(cast(int, self._process.pid), signal.SIGKILL)  # one that hangs or was stopped takes no other
        self._process.join()
        self._receiver.close()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _Raised:
    """An error on its way to the process that has begun the work."""

    def __init__(self, error: InputError | OSError) -> None:
        self.error = error


class Alive:
    """There is nothing to tell yet, and the work goes on."""


def alive(tell: Tell) -> Callable[[], None]:
    """To be called often by a function that works on a file, while there is nothing to tell."""
    return sign_of_life(lambda: tell(Alive()))


def _work(sender: Connection, function: Callable[..., None], arguments: tuple[object, ...]) -> None:
    begin_decoding()
    with sender, contextlib.suppress(BrokenPipeError):
        try:
            function(sender.send, *arguments)
        except BrokenPipeError:
            raise
        except InputError as error:
            sender.send(_Raised(error))
        except OSError as error:
            sender.send(_Raised(_without_library(error)))


def _without_library(error: OSError) -> InputError | OSError:
    """What goes wrong with the file that is written, as Python's own error; all else is the fault of the video."""
    reason = error.strerror or str(error)
    if error.errno in _DISK_FAILURES:
        return OSError(error.errno, reason, error.filename)
    return InputError(f"it cannot be read: {reason}")
