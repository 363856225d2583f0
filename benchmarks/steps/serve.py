"""What the sides of a comparison have in common: each is a process that computes when it is told to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def serve(run: Callable[[int], object]) -> None:
    """Prints the seconds of the first step, and then, for each number that is read, those of so many steps.

    Args:
        run: Computes a number of steps and returns when the last one is done.
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # frameworks print too
    print(_seconds(run, 1), file=answers, flush=True)
    for line in sys.stdin:
        print(_seconds(run, int(line)), file=answers, flush=True)


def _seconds(run: Callable[[int], object], number: int) -> float:
    start = time.perf_counter()
    run(number)
    return time.perf_counter() - start
