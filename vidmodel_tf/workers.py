"""Worker processes: how they are begun, and that none outlives what it works for."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import multiprocessing.reduction
import os
import pickle
import signal
import sys
import threading
import types


def num_usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def begin_worker() -> None:
    """To be called first in a worker process: it ends when it is told to, and with its parent."""
    # What hangs in C never comes back to Python's own handler of this signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


class _MainWithoutScript(types.ModuleType):
    """The main module, but for what says how to run it again."""

    def __init__(self, main: types.ModuleType) -> None:
        super().__init__("__main__")  # without __file__, and with __spec__ None
        self.__dict__["_main"] = main

    def __getattr__(self, name: str):
        if name == "__file__":
            raise AttributeError(name)
        return getattr(self._main, name)


class _WorkerProcess(multiprocessing.context.SpawnProcess):
    """A spawned process that does not run the caller's main module again.

    Python does so before a worker begins, and a script without a guard would then start workers in each worker.
    """

    _lock = threading.Lock()

    def __getstate__(self) -> bytes:
        return bytes(multiprocessing.reduction.ForkingPickler.dumps(self.__dict__))

    def __setstate__(self, state: bytes) -> None:
        try:
            self.__dict__.update(pickle.loads(state))
        except FileNotFoundError:  # the pool was closed, and its locks removed, while this worker came up
            os._exit(1)

    def start(self) -> None:
        with self._lock:
            main = sys.modules["__main__"]
            sys.modules["__main__"] = _MainWithoutScript(main)
            try:
                super().start()
            finally:
                sys.modules["__main__"] = main


class WorkerContext(multiprocessing.context.SpawnContext):
    """Starts processes that do not run the caller's script again."""

    # spawn: a fork of a process with TensorFlow's threads in it can hang
    Process = _WorkerProcess
