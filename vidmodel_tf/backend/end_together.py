"""The end of a training on several machines: what ends one of them ends all, each with a line that says so.

The others are in a computation of all machines, which none can leave by itself and JAX ends with a trace.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from vidmodel_tf.backend.coordination import client, disconnect, forget
from vidmodel_tf.end_on_signals import last_words, was_signalled
from vidmodel_tf.errors import cause

_ENDED = "vidmodel/ended"
_LOOK_SECONDS = 0.5
_LEAVE_SECONDS = 20  # that a busy machine may take to notice that another one has ended
_LAST_SECONDS = 1.5


@contextlib.contextmanager
def ending_together(address: str, is_first: bool) -> Iterator[None]:
    """What ends the block on one machine ends the processes on the others.

    Where others could not be told of an error, the process ends with the error's exit code and without other exit
    handlers.

    Args:
        address: Of this machine, by which the others name it.
        is_first: Whether JAX's service ends with this machine.
    """
    end = _End(address, is_first)
    with last_words(lambda: end.tell("interrupted")):
        try:
            with end.watched():
                yield
        except BaseException as error:
            is_interrupted = isinstance(error, KeyboardInterrupt)
            end.tell("interrupted" if is_interrupted else cause(error) or type(error).__name__)
            if not (end.all_came or is_interrupted or was_signalled()):
                # JAX would wait for a computation in which others are missing.
                atexit.register(_exit, getattr(error, "exit_code", 1))
            raise


class _End:
    """The end of this machine, or that of another one, whichever comes first.

    Attributes:
        all_came: Whether all machines have heard of it, and end too.
    """

    def __init__(self, address: str, is_first: bool) -> None:
        self.all_came = False
        self._address, self._is_first = address, is_first
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._is_parting = False
        self._has_parted = threading.Event()

    def tell(self, reason: str) -> None:
        """Ends the training on all machines; returns when they have come, or the time for it is over."""
        self._is_over.set()
        self._part(f"{self._address} has ended ({reason}); the same commands go on from here")

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While the block runs, ends this process once another machine has ended."""
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
                if self._is_over.is_set() or was_signalled():  # this machine leaves by itself
                    return
                with contextlib.suppress(OSError):  # nobody reads it any more
                    print(f"vidmodel train: {line}", file=sys.stderr)
                self._part(line)
                _exit(1)

    def _part(self, line: str) -> None:
        """Whoever calls it, it happens once: on a thread, for a signal may interrupt the main one at any moment."""
        with self._lock:
            if not self._is_parting:
                threading.Thread(target=self._leave_service, args=(line,), daemon=True).start()
                self._is_parting = True
        while not self._has_parted.is_set():
            with contextlib.suppress(KeyboardInterrupt):
                self._has_parted.wait()

    def _leave_service(self, line: str) -> None:
        try:
            with contextlib.suppress(Exception):  # another one may have told it first
                client().key_value_set(_ENDED, line)
            client().wait_at_barrier(_ENDED, _LEAVE_SECONDS * 1000)
            disconnect()
            self.all_came = True
        except Exception:  # JAX has several for a machine that does not come
            forget()
            if self._is_first:
                time.sleep(_LAST_SECONDS)  # those that came are ended by JAX when the service is gone
        finally:
            self._has_parted.set()


def _exit(exit_code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(exit_code)
