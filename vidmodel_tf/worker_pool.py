"""Tasks in several worker processes, one of which may die without any harm to the others.

Each process has a pipe of its own: one that is killed takes no lock with it that the others need. The system kills
what takes too much memory, and seldom what took it first: the task of a process that died is tried once more, alone.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Self

from vidmodel_tf.worker_of_pool import PoolWorker, StartError, WorkerDiedError, not_started


@dataclass(frozen=True)
class _Task:
    message: bytes
    timeout_seconds: float | None
    future: Future[Any]


class WorkerPool:
    """Worker processes, started when there is work for them. A context manager that ends them.

    Args:
        num_workers: At most so many at once.
        begin: Called first in each process; a function that can be imported.
    """

    def __init__(self, num_workers: int, begin: Callable[[], None]) -> None:
        self.num_workers = num_workers
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._turns = _Turns()
        self._is_closed = False
        self._workers = [PoolWorker(begin) for _ in range(num_workers)]
        self._threads = [
            threading.Thread(target=self._work_with, args=(worker,), daemon=True) for worker in self._workers
        ]
        for thread in self._threads:
            thread.start()
        # Once Python shuts down, these threads stand still with whatever locks they hold, and `close` could hang.
        atexit.register(self.close)

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        timeout_seconds: float | None = None,
        reads: Sequence[str | os.PathLike[str]] = (),
    ) -> Future[Any]:
        """Calls a function in a worker process, when one is free.

        Args:
            function: One that can be imported.
            arguments: What it is called with.
            timeout_seconds: From when a worker begins it. None: it may take as long as it takes.
            reads: Files and folders that it reads. Another machine might not see them; here nothing is to be done.

        Returns:
            Its result. In its place come the exception that it raised, `WorkerDiedError`, `TaskTimeoutError`, or a
            VidmodelError if no process can be started.
        """
        task = _Task(pickle.dumps((function, arguments)), timeout_seconds, Future())
        self._tasks.put(task)
        return task.future

    def close(self) -> None:
        """Ends the processes; what they have not done is cancelled. May be called twice."""
        atexit.unregister(self.close)
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:
                    task.future.cancel()
        for worker in self._workers:
            self._tasks.put(None)
            worker.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _work_with(self, worker: PoolWorker) -> None:
        while (task := self._tasks.get()) is not None:
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                result = self._result(worker, task)
            except BaseException as error:
                task.future.set_exception(error)
            else:
                task.future.set_result(result)
        worker.end()

    def _result(self, worker: PoolWorker, task: _Task) -> Any:
        with contextlib.suppress(WorkerDiedError, StartError), self._turns.with_others():
            return worker.call(task.message, task.timeout_seconds)
        with self._turns.alone():
            for each in self._workers:  # those that have nothing to do hold memory too
                each.end()
            return self._second_result(worker, task)

    def _second_result(self, worker: PoolWorker, task: _Task) -> Any:
        if self._is_closed:
            raise CancelledError
        try:
            return worker.call(task.message, task.timeout_seconds)
        except StartError as error:
            raise not_started(error) from None


class _Turns:
    """Who may work: some with others, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._num_at_work = 0
        self._num_alone = 0  # that want to be alone, or are

    @contextlib.contextmanager
    def with_others(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._num_alone == 0)
            self._num_at_work += 1
        try:
            yield
        finally:
            self._leave(0)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._num_alone += 1
            self._changed.wait_for(lambda: self._num_at_work == 0)
            self._num_at_work += 1
        try:
            yield
        finally:
            self._leave(1)

    def _leave(self, num_alone: int) -> None:
        with self._changed:
            self._num_at_work -= 1
            self._num_alone -= num_alone
            self._changed.notify_all()
