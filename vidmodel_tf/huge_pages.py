"""Large blocks of memory on huge pages, where Linux hands them out to those who ask (`madvise`, as on many servers).

TensorFlow takes and returns the memory of each large array anew in each step. On pages of 4 KB, which the kernel clears
and maps one by one, that can take as long as the computation (docs/performance.md). The C library of GNU asks for huge
ones if a variable says so when the process starts.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

_VARIABLE, _TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
_FIRST_VERSION = (2, 35)  # of the C library that knows it
_BEFORE = "VIDMODEL_TUNABLES_BEFORE"  # what the variable was, in a process that has started again
_OFFER = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def variables() -> dict[str, str]:
    """The environment variables that a process should be started with; none where they do not help or are set."""
    tunables = os.environ.get(_VARIABLE, "")
    if _TUNABLE in tunables or not _is_for_those_who_ask() or _glibc_version() < _FIRST_VERSION:
        return {}
    return {_VARIABLE: ":".join(filter(None, [tunables, f"{_TUNABLE}=1"]))}


def restart_with_huge_pages() -> None:
    """Runs the command line of this process from its beginning, in the same process, if `variables` names any.

    The second time it only takes the variable back: programs that this one calls are not to have it.
    """
    before = os.environ.pop(_BEFORE, None)
    if before is not None:
        os.environ[_VARIABLE] = before
        if not before:
            del os.environ[_VARIABLE]
        return
    found = variables()
    if found and sys.executable and sys.orig_argv:
        environment = {**os.environ, **found, _BEFORE: os.environ.get(_VARIABLE, "")}
        with contextlib.suppress(OSError):  # it is as well without
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def _is_for_those_who_ask() -> bool:
    try:
        return "[madvise]" in _OFFER.read_text()
    except OSError:
        return False


def _glibc_version() -> tuple[int, ...]:
    try:
        return tuple(map(int, (os.confstr("CS_GNU_LIBC_VERSION") or "").split()[-1].split(".")))
    except (ValueError, IndexError, OSError, AttributeError):  # another C library, another system
        return (0,)
