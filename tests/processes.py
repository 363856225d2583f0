"""Processes that a test has started."""

from __future__ import annotations

import contextlib

import psutil


def children_of(pid: int | None = None) -> list[int]:
    """The children of a process, or of this one."""
    return [child.pid for child in psutil.Process(pid).children()]


def workers_of(pid: int | None = None) -> list[int]:
    """Those of them that are workers of a pool; the tracker of its semaphores is none."""
    workers = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if "popen_loky" in " ".join(child.cmdline()):
                workers.append(child.pid)
    return workers


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only waits for its parent to hear of its end."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
