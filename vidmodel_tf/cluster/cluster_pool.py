"""A pool whose tasks run on the nodes of a Ray cluster, any of which may die.

A decoder that crashes or hangs does so in a worker process of the node, and is dealt with there as a `WorkerPool` does.
What Ray reports is another matter: the machine is gone, or Ray's own process, and the task is sent again.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any, Self

from vidmodel_tf.cluster.call import Call, message_for
from vidmodel_tf.cluster.node import answer_call
from vidmodel_tf.cluster.versions import installed_versions
from vidmodel_tf.errors import VidmodelError, cause
from vidmodel_tf.worker_of_pool import WorkerDiedError

MAX_DEATHS = 4  # of machines at one task
_TASKS_PER_CORE = 2  # handed to Ray in advance, so that no core waits
_WAIT_SECONDS = 0.1  # after which new tasks are looked for


@dataclasses.dataclass
class _Task:
    call: Call
    future: Future[Any]
    num_deaths: int = 0


class ClusterPool:
    """As `WorkerPool`, on the nodes of a cluster.

    Args:
        ray: The module, connected to the cluster.
        num_cores: Of the cluster; asked again and again, as nodes come and go.
        num_workers: Tasks at once, at most; 0: one a core.
        begin: As `Call` has it.
    """

    def __init__(
        self, ray: Any, num_cores: Callable[[], int], num_workers: int, begin: Callable[[], None] | None
    ) -> None:
        self._ray = ray
        self._num_cores = num_cores
        self._max_workers = num_workers
        self._begin = begin
        self._versions = installed_versions()
        # Ray itself would try a task for ever on machines that run out of memory.
        self._answer_call = ray.remote(num_cpus=1, max_retries=0)(answer_call)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._again: deque[_Task] = deque()
        self._at_work: dict[Any, _Task] = {}  # by what Ray calls it
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def num_workers(self) -> int:
        """How many tasks run at once."""
        return self._max_workers or self._num_cores()

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        timeout_seconds: float | None = None,
        reads: Sequence[str | os.PathLike[str]] = (),
    ) -> Future[Any]:
        """As `WorkerPool.submit`.

        Returns:
            Beside what may come in place of a result there: `NodeError`, where a node does not see what the function
            reads or has other versions, and VidmodelError where nodes died at it again and again.
        """
        message = message_for(function, arguments, reads)
        task = _Task(Call(message, self._begin, timeout_seconds, self._versions), Future())
        self._tasks.put(task)
        return task.future

    def close(self) -> None:
        """Ends what runs; what has not been done is cancelled. May be called twice."""
        atexit.unregister(self.close)
        self._is_closed = True
        self._tasks.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _work(self) -> None:
        error: Exception = CancelledError()
        try:
            while not self._is_closed:
                self._send_tasks()
                self._take_answers()
        except VidmodelError as lost:
            error = lost
        except Exception as lost:
            error = VidmodelError(f"the connection to the cluster was lost ({cause(lost)})")
        for ref, task in self._at_work.items():
            with contextlib.suppress(Exception):
                self._ray.cancel(ref, force=True)
            task.future.set_exception(error)
        for task in self._again:
            task.future.set_exception(error)
        self._refuse_rest(error)

    def _refuse_rest(self, error: Exception) -> None:
        """Until it is closed, as somebody may still ask."""
        while not (self._is_closed and self._tasks.empty()):
            if (task := self._tasks.get()) is not None and task.future.set_running_or_notify_cancel():
                task.future.set_exception(error)

    def _send_tasks(self) -> None:
        """Sends tasks while there is room; where nothing is at work, it waits for one."""
        max_tasks = self._max_workers or _TASKS_PER_CORE * self._num_cores()
        while len(self._at_work) < max_tasks and (task := self._next_task()) is not None:
            self._at_work[self._answer_call.remote(task.call)] = task

    def _next_task(self) -> _Task | None:
        if self._again:
            return self._again.popleft()
        try:
            task = self._tasks.get(block=not self._at_work)
        except queue.Empty:
            return None
        return task if task is not None and task.future.set_running_or_notify_cancel() else None

    def _take_answers(self) -> None:
        refs = list(self._at_work)
        if not refs:
            return
        self._ray.wait(refs, timeout=_WAIT_SECONDS)
        ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        for ref in ready:
            self._settle(ref, self._at_work.pop(ref))

    def _settle(self, ref: Any, task: _Task) -> None:
        raised = self._ray.exceptions
        try:
            value, error = self._ray.get(ref)
        except raised.OutOfMemoryError:
            self._settle_out_of_memory(task)
        except (raised.NodeDiedError, raised.WorkerCrashedError, raised.ObjectLostError) as death:
            self._settle_death(task, death)
        except raised.RayError as failure:
            task.future.set_exception(
                VidmodelError(
                    "a node of the cluster cannot run vidmodel_tf; is it installed there, in the Python that runs Ray? "
                    f"({_last_line(failure)})"
                )
            )
        else:
            if error is None:
                task.future.set_result(value)
            else:
                task.future.set_exception(error)

    def _settle_out_of_memory(self, task: _Task) -> None:
        """What takes too much memory even when it is alone is to blame itself; Ray ends it before the system does."""
        if task.call.is_alone or task.call.begin is None:
            task.future.set_exception(WorkerDiedError("out of memory"))
        else:
            task.call = dataclasses.replace(task.call, is_alone=True)
            self._again.append(task)

    def _settle_death(self, task: _Task, death: Exception) -> None:
        task.num_deaths += 1
        if task.num_deaths < MAX_DEATHS:
            self._again.append(task)
            return
        task.future.set_exception(
            VidmodelError(
                f"{MAX_DEATHS} times in a row the machine that had a task, or Ray on it, died ({_last_line(death)})"
            )
        )


def _last_line(error: Exception) -> str:
    """Ray puts a traceback, in colours, before what matters."""
    return cause(Exception(str(error).strip().rpartition("\n")[2]))
