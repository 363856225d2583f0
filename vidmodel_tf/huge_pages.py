"""Large blocks of memory on huge pages, where Linux hands them out to those who ask (`madvise`, as on many servers).

TensorFlow takes and returns the memory of each large array anew in each step. On pages of 4 KB, which the kernel clears
and maps one by one, that can take as long as the computation (docs/performance.md). The C library asks for huge ones
if a variable says so when the process starts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_VARIABLE, _TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
_OFFER = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def variables() -> dict[str, str]:
    """The environment variables that a process should be started with; none where they do not help or are set."""
    tunables = os.environ.get(_VARIABLE, "")
    if _TUNABLE in tunables or not _is_for_those_who_ask():
        return {}
    return {_VARIABLE: ":".join(filter(None, [tunables, f"{_TUNABLE}=1"]))}


def restart_with_huge_pages() -> None:
    """Runs the command line of this process from its beginning, in the same process, if `variables` names any."""
    if found := variables():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **found})


def _is_for_those_who_ask() -> bool:
    try:
        return "[madvise]" in _OFFER.read_text()
    except OSError:
        return False
