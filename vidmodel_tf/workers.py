"""Worker processes: how they start, and how each ends no later than the process that it works for."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import multiprocessing.resource_tracker
import os
import signal
import threading
import time
from collections.abc import Callable

import loky.backend.resource_tracker
from loky.backend.context import LokyContext
from loky.backend.process import LokyProcess

from vidmodel_tf.child_processes import starting

PARENT_CHECK_SECONDS = 0.2
ALIVE_SECONDS = 1.0  # between two signs of life


def num_usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_context() -> LokyContext:
    """Starts processes from scratch that do not run the caller's script again.

    A fork of a process with TensorFlow's threads in it can hang, and Python's own "spawn" runs the script again, which
    would then start workers in each worker if it has no `if __name__ == "__main__"`.
    """
    return _WorkerContext()


class _Worker(LokyProcess):
    """A process that Ctrl-C on a terminal does not reach: what comes of that is its parent's business."""

    @staticmethod
    def _Popen(process_obj):  # noqa: N802 (multiprocessing's name)
        # Begun on the way to the first process, these would unblock the signal again.
        for tracker in (loky.backend.resource_tracker, multiprocessing.resource_tracker):
            tracker.ensure_running()
        with starting:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # what the process inherits
            try:
                return LokyProcess._Popen(process_obj)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _WorkerContext(LokyContext):
    Process = _Worker


@functools.cache
def begin_worker() -> None:
    """To be called first in a worker process: it ends when it is told to, and with its parent. Done once."""
    # What hangs in C never comes back to Python's own handler of this signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def sign_of_life(send: Callable[[], object]) -> Callable[[], None]:
    """A function to be called often by work that may take long; it sends at once, and then not too often.

    Args:
        send: Tells whoever waits that the work goes on.
    """
    next_seconds = 0.0

    def tell() -> None:
        nonlocal next_seconds
        now = time.monotonic()
        if now >= next_seconds:
            next_seconds = now + ALIVE_SECONDS
            send()

    return tell


def cause_of_death(exit_code: int) -> str:
    """Why a process ended, for a message.

    Example:
        >>> cause_of_death(-9), cause_of_death(-11), cause_of_death(3)
        ('signal SIGKILL, out of memory?', 'signal SIGSEGV', 'exit code 3')
    """
    if exit_code == -signal.SIGKILL:
        return "signal SIGKILL, out of memory?"
    if exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    # A process whose parent is dead gets another one.
    while parent is not None and os.getppid() == parent.pid:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)
