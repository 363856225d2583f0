"""Kills commands at random moments, lets them go on, and compares what they leave with what undisturbed ones leave.

    python -m tests.hostile.kills [--kills N] [--signals N] [--seed S] [--share F] [--minutes M] [--json FILE]

After a few kills (SIGKILL) a command is called once more and runs to its end. The moments are spread over the time that
the undisturbed command took. How the results are compared stands in `tests.hostile.same_content.COMPARED`.
Then every command is sent SIGINT and SIGTERM (`tests.hostile.signals`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hostile import subjects
from tests.hostile.processes import Running, num_left
from tests.hostile.same_content import differences
from tests.hostile.signals import LIMIT_SECONDS, Interrupted, interrupt_all

KILLS_A_SERIES = 3


@dataclasses.dataclass
class Attacked:
    """A command, how often it was killed, and what came of it.

    Attributes:
        command: Its name.
        kills: In how many places.
        series: How often it was then called once more.
        seconds: That it took undisturbed.
        moments: When it was killed, in seconds from its start.
        left: Processes that outlived it.
        faults: What was not as it should be, one line each.
    """

    command: str
    kills: int = 0
    series: int = 0
    seconds: float = 0.0
    moments: list[float] = dataclasses.field(default_factory=list)
    left: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)


class Suite:
    """A folder in which commands are run undisturbed, then killed.

    Args:
        folder: `work/NAME` is where a command runs, always the same, as results may hold paths; `whole/NAME` is what it
            left undisturbed.
        seed: Of the moments.
        deadline: After it no further series is begun.
    """

    def __init__(self, folder: Path, seed: int, deadline: float) -> None:
        self._work, self.whole, self._logs = folder / "work", folder / "whole", folder / "logs"
        self._random, self._deadline = random.Random(seed), deadline

    def run_undisturbed(self, subject: subjects.Subject) -> Attacked:
        """Runs a command and keeps what it leaves."""
        folder = self._lay_out(subject)
        running = self._start(subject, folder)
        code = running.wait()
        seconds = time.monotonic() - running.started
        if code:
            raise SystemExit(f"{subject.name} fails undisturbed ({code}): {running.told[-2000:]}")
        self._keep_printed(subject, folder, running)
        shutil.copytree(folder, self.whole / subject.name)
        return Attacked(subject.name, seconds=seconds)

    def kill(self, subject: subjects.Subject, attacked: Attacked, num_kills: int) -> None:
        """Kills a command so many times, in series of a few."""
        moments = [attacked.seconds * (part + self._random.random()) / num_kills for part in range(num_kills)]
        self._random.shuffle(moments)
        while moments and time.monotonic() < self._deadline:
            folder = self._lay_out(subject)
            for _ in range(min(KILLS_A_SERIES, len(moments))):
                moment = moments.pop()
                if not self._killed_at(moment, subject, folder, attacked):
                    moments.insert(0, 0.8 * moment)  # it had ended: it goes on faster than it begins
                    break
            self._finish(subject, folder, attacked)

    def _killed_at(self, moment: float, subject: subjects.Subject, folder: Path, attacked: Attacked) -> bool:
        running = self._start(subject, folder)
        if not running.is_at_work_after(moment):
            return False
        attacked.left += num_left(self._kill(running))
        attacked.kills += 1
        attacked.moments.append(round(moment, 2))
        return True

    def _kill(self, running: Running) -> list:
        children = running.signal(signal.SIGKILL)
        running.wait()
        return children

    def _finish(self, subject: subjects.Subject, folder: Path, attacked: Attacked) -> None:
        running = self._start(subject, folder)
        code = running.wait()
        attacked.series += 1
        self._keep_printed(subject, folder, running)
        if code or "Traceback" in running.told:
            attacked.faults.append(f"exit code {code}: {' '.join(running.told.split())[-300:]}")
        subjects.keep_last_version(folder)
        attacked.faults += differences(folder, self.whole / subject.name)

    def _lay_out(self, subject: subjects.Subject) -> Path:
        folder = self._work / subject.name
        subjects.lay_out(subject, folder, self.whole)
        return folder

    def _start(self, subject: subjects.Subject, folder: Path) -> Running:
        environment = subjects.environment(folder)
        return Running(subjects.command_line(subject), folder, environment, self._logs / subject.name)

    def _keep_printed(self, subject: subjects.Subject, folder: Path, running: Running) -> None:
        if subject.is_printed:
            (folder / "printed.txt").write_text(running.printed)


def attack(options: argparse.Namespace, folder: Path) -> tuple[list[Attacked], list[Interrupted]]:
    """Runs everything undisturbed, then kills, then interrupts."""
    suite = Suite(folder, options.seed, time.monotonic() + 60 * options.minutes)
    subjects.draw_inputs(suite.whole)
    attacked = []
    for subject in subjects.KILLED:
        attacked.append(suite.run_undisturbed(subject))
        print(f"{subject.name}: {attacked[-1].seconds:.1f} s undisturbed", file=sys.stderr, flush=True)
    for subject, each in zip(subjects.KILLED, attacked, strict=True):
        if num_kills := round(options.kills * options.share * subject.share):
            suite.kill(subject, each, num_kills)
            print(dataclasses.asdict(each), file=sys.stderr, flush=True)
    return attacked, list(interrupt_all(suite.whole, folder, options.seed, options.signals * options.share))


def table(attacked: list[Attacked], interrupted: list[Interrupted]) -> Iterator[str]:
    """For `docs/reliability.md`."""
    yield from ("| kind | cases | how answered | seconds |", "|---|---|---|---|")
    for each in attacked:
        answer = (
            f"{each.series} series went on to the end, {len(each.faults)} with a difference; {each.left} processes left"
        )
        yield f"| SIGKILL, `{each.command}` | {each.kills} kills | {answer} | {each.seconds:.0f} undisturbed |"
    for name in dict.fromkeys(each.command for each in interrupted):
        some = [each for each in interrupted if each.command == name]
        good = [each for each in some if not each.fault]
        left, slowest = sum(each.left for each in some), max(each.seconds for each in some)
        answer = f"{len(good)} with one line and its exit code; {left} processes left"
        yield f"| SIGINT, SIGTERM, `{name}` | {len(some)} signals | {answer} | at most {slowest:.1f} to the end |"


def main() -> int:
    """The exit code: 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--signals", type=float, default=2.0, help="for each command (default: SIGINT and SIGTERM)")
    parser.add_argument("--share", type=float, default=1.0, help="of both (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0, help="no series is begun later (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would pass on that it is ignored
    with tempfile.TemporaryDirectory() as folder:
        attacked, interrupted = attack(options, Path(folder))
    if options.json:
        results = {"kills": attacked, "signals": interrupted}
        lines = {name: [dataclasses.asdict(each) for each in some] for name, some in results.items()}
        options.json.write_text(json.dumps(lines, indent=2) + "\n")
    print(*table(attacked, interrupted), sep="\n")
    faults = [f"{each.command}: {fault}" for each in attacked for fault in each.faults]
    faults += [each.fault for each in interrupted if each.fault]
    faults += [f"{each} was too slow" for each in interrupted if each.seconds > LIMIT_SECONDS]
    faults += [f"{each.command}: {each.left} processes left" for each in [*attacked, *interrupted] if each.left]
    print(*faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
