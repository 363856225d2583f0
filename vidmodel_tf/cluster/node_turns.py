"""Who may work on a node: the processes of Ray there, some with others, or one alone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


class NodeTurns:
    """What `worker_pool` does for its threads, over the processes of a machine; the system gives back what dies.

    Whoever wants to be alone keeps the gate closed meanwhile: others that are at work go on to their end, and none
    begins.

    Args:
        folder: For two files of locks; not shared with other machines.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(tempfile.gettempdir())
        self._gate, self._room = (folder / f"vidmodel-{os.getuid()}.{name}" for name in ("gate", "room"))

    @contextlib.contextmanager
    def with_others(self) -> Iterator[None]:
        """Works in the block while others may."""
        with contextlib.ExitStack() as stack:
            with _locked(self._gate, fcntl.LOCK_EX):
                stack.enter_context(_locked(self._room, fcntl.LOCK_SH))
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Works in the block while no other does."""
        with _locked(self._gate, fcntl.LOCK_EX), _locked(self._room, fcntl.LOCK_EX):
            yield


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
