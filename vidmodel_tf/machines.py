"""Where tasks run: in processes of this machine, or of many (`cluster/`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, Self

from vidmodel_tf.worker_pool import WorkerPool
from vidmodel_tf.workers import num_usable_cores


class TaskPool(Protocol):
    """Calls functions in worker processes. A context manager that ends them."""

    @property
    def num_workers(self) -> int:
        """How many tasks run at once; it follows machines that come and go."""
        ...

    def submit(
        self,
        function: Callable[..., Any],
        *arguments: object,
        timeout_seconds: float | None = None,
        reads: Sequence[str | os.PathLike[str]] = (),
    ) -> Future[Any]:
        """As `WorkerPool.submit`."""
        ...

    def close(self) -> None:
        """Ends the processes; what they have not done is cancelled. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


class Machines(Protocol):
    """Where tasks run."""

    @property
    def num_cores(self) -> int:
        """Of all of them together."""
        ...

    def open_pool(self, num_workers: int, begin: Callable[[], None]) -> TaskPool:
        """Makes a pool.

        Args:
            num_workers: Tasks at once, at most; 0: one a core.
            begin: Called first in each process; a function that can be imported.
        """
        ...


class ThisMachine:
    """The machine that asks.

    Args:
        num_cores: That may be used; 0: all that this process may use.
    """

    def __init__(self, num_cores: int = 0) -> None:
        self.num_cores = num_cores or num_usable_cores()

    def open_pool(self, num_workers: int, begin: Callable[[], None]) -> WorkerPool:
        """As `Machines` says."""
        return WorkerPool(num_workers or self.num_cores, begin)
