"""Ctrl-C and `kill` as a wish to end, not as the end."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from vidmodel_tf.end_on_signals import first_signal_is_a_wish


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and `kill` set while the block runs; the second time they end the process as ever."""
    stop = threading.Event()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A shell starts background jobs with SIGINT ignored: they are not to end with what runs in front.
    before = {number: handler for number, handler in handlers.items() if handler != signal.SIG_IGN}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, handle)
    try:
        with first_signal_is_a_wish():
            yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
