"""Programs that do the same work by turns, and the table of their times."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from steps.work import Work

FOLDER = Path(__file__).parent


class Side:
    """A side of a comparison, at work in a process of its own.

    Args:
        name: In the table.
        script: A file of this folder, without its suffix.
        work: What it does.
        environment: Variables that it needs.
    """

    def __init__(self, name: str, script: str, work: Work, **environment: str) -> None:
        self.name, self.times = name, []
        self._process = subprocess.Popen(
            [sys.executable, FOLDER / f"{script}.py", *work.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            text=True,
        )
        self.first_step = self._answer()

    def run(self, num_steps: int) -> None:
        """Computes so many steps and keeps the seconds of one."""
        print(num_steps, file=self._process.stdin, flush=True)
        self.times.append(self._answer() / num_steps)

    def _answer(self) -> float:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended with {self._process.wait()}")
        return float(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


def compare(
    scripts: Mapping[str, tuple[str, Mapping[str, str]]], work: Work, *, rounds: int, steps: int, reference: str
) -> list[dict[str, Any]]:
    """Times all sides by turns, prints a table, and returns its rows.

    Args:
        scripts: By the name of a side its script and the variables that it needs. The last one is the ceiling.
        work: What all of them do.
        rounds: That count; one before them does not.
        steps: Of each side in a round.
        reference: The side that ratios are relative to.
    """
    with contextlib.ExitStack() as stack:
        sides = []
        for name, (script, environment) in scripts.items():
            sides.append(Side(name, script, work, **environment))
            stack.callback(sides[-1].close)
        for number in range(rounds + 1):
            for side in sides:
                side.run(steps)
            if number == 0:  # the second step may be slow too
                for side in sides:
                    side.times.clear()
    return _table(sides, work, reference)


def _table(sides: Sequence[Side], work: Work, reference: str) -> list[dict[str, Any]]:
    seconds = {side.name: statistics.median(side.times) / work.batch for side in sides}
    ceiling = seconds[sides[-1].name]
    title = f"{work.task}, {work.precision}"
    print(f"\n{title:<36} {'ms a clip':>10} {'ratio':>6} {'ceiling':>8} {'first step s':>13}", flush=True)
    rows = []
    for side in sides:
        mine = seconds[side.name]
        rows.append(
            {
                "side": side.name,
                "task": work.task,
                "precision": work.precision,
                "seconds_a_clip": mine,
                "seconds_of_rounds": [value / work.batch for value in side.times],
                "ratio": mine / seconds[reference],
                "share_of_ceiling": ceiling / mine,
                "first_step_seconds": side.first_step,
            }
        )
        print(
            f"{side.name:<36} {1000 * mine:10.2f} {mine / seconds[reference]:6.2f} {ceiling / mine:8.0%} "
            f"{side.first_step:13.1f}"
        )
    return rows
