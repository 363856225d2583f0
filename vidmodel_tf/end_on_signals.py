"""How a command ends on Ctrl-C (SIGINT) and on `kill` (SIGTERM): in order where it can, and soon in any case.

Python raises `KeyboardInterrupt` between two instructions of the main thread: never while that is in a training step
of TensorFlow, in a conversion or in a decoder that hangs. So the system wakes a second thread too, which ends the
process where the first has not ended it in time. It leaves then what SIGKILL may leave: files that were being written
beside their place.

Signals are not blocked for this, as `signal.sigwait` would need: programs that are started inherit what is blocked.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from vidmodel_tf.child_processes import kill_children

ORDERLY_SECONDS = 1.5  # that the main thread has for its `finally` blocks
WISH_SECONDS = 30.0  # that a command has which takes the first signal as a wish, to end in its own way
_LOOK_SECONDS = 0.1
_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h\n"  # a progress bar has hidden it, and has left the line unfinished


_wishes = threading.Event()
_signalled = threading.Event()
_last_words: list[Callable[[], object]] = []


@contextlib.contextmanager
def first_signal_is_a_wish() -> Iterator[None]:
    """While the block runs, a command may take its time to end after the first signal."""
    _wishes.set()
    try:
        yield
    finally:
        _wishes.clear()


def was_signalled() -> bool:
    """Whether a signal has come, also while the main thread has not noticed it yet."""
    return _signalled.is_set()


@contextlib.contextmanager
def last_words(say: Callable[[], object]) -> Iterator[None]:
    """While the block runs, this is called before a signal ends the process where the main thread does not.

    Args:
        say: Is waited for until it returns or a second signal comes.
    """
    _last_words.append(say)
    try:
        yield
    finally:
        _last_words.remove(say)


class Ending:
    """Whether a signal has told the process to end, and the end itself.

    Args:
        line: What is then said on standard error.
    """

    def __init__(self, line: str) -> None:
        self.line = line
        self.number = 0
        self._once = threading.Lock()
        self._standard_error = os.dup(2)  # which is another while TensorFlow is imported
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        # A shell starts background jobs with SIGINT ignored: they are not to end with what runs in front.
        for number in (number for number in _NUMBERS if signal.getsignal(number) != signal.SIG_IGN):
            signal.signal(number, self._interrupt)
        # The system writes each signal there at once, whatever the main thread is doing.
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        threading.Thread(target=self._end_in_time, daemon=True).start()

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """A command runs in the block. Once a signal has come, whatever ends the block ends the process."""
        try:
            yield
        except BaseException:
            if not self.number:
                raise
        if self.number:
            with contextlib.suppress(Exception):  # nobody reads it any more
                sys.stdout.flush()
            atexit._run_exitfuncs()  # TensorFlow has temporary files, which outlive `os._exit`
            self._end(self.number)

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        if not self.number:
            self.number = number
            # What ends half-way has nothing to tell.
            sys.unraisablehook = _say_nothing
            threading.excepthook = _say_nothing
            raise KeyboardInterrupt

    def _end_in_time(self) -> None:
        number = self._next_signal(None)
        _signalled.set()
        is_wish = _wishes.is_set()
        # What comes again is urgent.
        again = self._next_signal(time.monotonic() + (WISH_SECONDS if is_wish else ORDERLY_SECONDS))
        if is_wish and again:
            again = self._next_signal(time.monotonic() + ORDERLY_SECONDS)
        if not again:
            self._say_last_words()
        self._end(number)

    def _say_last_words(self) -> None:
        for say in list(_last_words):
            thread = threading.Thread(target=say, daemon=True)
            thread.start()
            while thread.is_alive() and not self._next_signal(time.monotonic() + _LOOK_SECONDS):
                pass

    def _next_signal(self, deadline: float | None) -> int:
        """Waits for a signal; 0 if there is none until the deadline."""
        while True:
            seconds = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not select.select([self._wake], [], [], seconds)[0]:
                return 0
            number = os.read(self._wake, 1)[0]  # other signals may have handlers too
            if number in _NUMBERS:
                return number

    def _end(self, number: int) -> NoReturn:
        self._once.acquire()  # the other thread waits here for the end
        kill_children()
        text = f"{_SHOW_CURSOR if os.isatty(self._standard_error) else ''}{self.line}\n"
        # Neither a lock of Python's nor a pipe that nobody reads is to hold up the end.
        if select.select([], [self._standard_error], [], 0)[1]:
            with contextlib.suppress(OSError):
                os.write(self._standard_error, text.encode(errors="backslashreplace"))
        os._exit(128 + number)


def _say_nothing(_: object) -> None:
    """In place of a traceback."""
