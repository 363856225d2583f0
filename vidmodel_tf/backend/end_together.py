"""The end of a training on several machines: what ends one of them ends all, each with a line that says so.

The others are in a computation of all machines, which none can leave by itself and JAX ends with a trace.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Iterator

from vidmodel_tf.backend.coordination import client, disconnect, forget
from vidmodel_tf.end_on_signals import last_words
from vidmodel_tf.errors import cause

_ENDED = "vidmodel/ended"
_LOOK_SECONDS = 0.5
_LEAVE_SECONDS = 20  # that a busy machine may take to notice that another one has ended


@contextlib.contextmanager
def ending_together(address: str) -> Iterator[None]:
    """What ends the block on one machine ends the processes on all.

    Its own process ends with the exit code of the error, and if others could not be told, without other exit handlers.

    Args:
        address: Of this machine, by which the others name it.
    """
    end = _End(address)
    with last_words(lambda: end.tell("interrupted")):
        try:
            with end.watched():
                yield
        except BaseException as error:
            is_interrupted = isinstance(error, KeyboardInterrupt)
            if not end.tell("interrupted" if is_interrupted else cause(error) or type(error).__name__):
                if is_interrupted:
                    forget()
                else:
                    atexit.register(_leave, getattr(error, "exit_code", 1))
            raise


class _End:
    """The end of this machine, or that of another one, whichever comes first."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._is_over = threading.Event()
        self._leaving = threading.Lock()

    def tell(self, reason: str) -> bool:
        """Whether all others have heard it, and end too."""
        self._is_over.set()
        with contextlib.suppress(Exception):  # another one may have told it first
            client().key_value_set(_ENDED, f"{self._address} has ended ({reason}); the same commands go on from here")
        return self._leave_with_others()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Ends the process in the block where another machine has ended."""
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._is_over.set()
            watch.join()  # a thread that is in JAX while Python shuts down ends the process with a trace

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            with contextlib.suppress(Exception):  # there is no such key: all are at work
                line = client().key_value_try_get(_ENDED)
                if self._is_over.is_set():  # and the line is of this machine
                    return
                print(f"vidmodel train: {line}", file=sys.stderr)
                self._leave_with_others()
                _leave(1)

    def _leave_with_others(self) -> bool:
        with self._leaving:
            if client() is None:
                return True
            with contextlib.suppress(Exception):
                client().wait_at_barrier(_ENDED, _LEAVE_SECONDS * 1000)
                disconnect()
                return True
            return False


def _leave(exit_code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)
