"""The processes that this one has started, and their end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import defaultdict
from pathlib import Path

_START_SECONDS = 0.2  # for which a start in progress is waited for

starting = threading.Lock()
"""To be held while a process is started."""


def kill_children() -> None:
    """Kills all processes that this one has started, and those that they have; no worker is started after that."""
    starting.acquire(timeout=_START_SECONDS)
    for pid in _descendants(os.getpid()):
        with contextlib.suppress(OSError):  # it has just ended
            os.kill(pid, signal.SIGKILL)


def _descendants(ancestor: int) -> list[int]:
    if not Path("/proc/self/stat").exists():  # not Linux: grandchildren see for themselves that their parent is dead
        return [child.pid for child in multiprocessing.active_children() if child.pid is not None]
    children = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parent = path.read_text(errors="replace").rpartition(")")[2].split()[1]
            children[int(parent)].append(int(path.parent.name))
    found = [ancestor]
    for pid in found:  # it grows meanwhile
        found += children[pid]
    return found[1:]
