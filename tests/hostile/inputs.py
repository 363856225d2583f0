"""Gives damaged and hostile inputs to the commands and to the exported graph, and judges each answer.

    python -m tests.hostile.inputs [--cases N] [--seed S] [--share 0.1] [--json FILE]

Allowed is a right answer, or one line that says what is wrong. One case in twenty goes through the command line, the
others to processes in which TensorFlow is loaded already. Exits with 1 where an answer was not allowed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.hostile import folders, settings, videos, words
from tests.hostile.case import Answer, Case, Place
from tests.hostile.crew import WarmProcess, run_command
from tests.hostile.good import Good
from tests.hostile.judge import judge
from tests.referring_files import listener

ROOT = Path(__file__).resolve().parents[2]
KINDS = {**videos.KINDS, **words.KINDS, **settings.KINDS, **folders.KINDS}
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
LIMIT_SECONDS = 10.0  # on top of what the same command takes when nothing is damaged
UNDISTURBED_SECONDS = {
    "train": 30.0,
    "timeline": 3.0,
    "prepare": 3.0,
    "evaluate": 5.0,
    "verify": 5.0,
    "export": 30.0,
    "predict": 3.0,
}
PATIENCE = 4.0  # times as long, the second time
START_SECONDS = 20.0  # of the command line: it loads TensorFlow
COMMAND_LINE_EVERY = 20


@dataclass(frozen=True)
class Judged:
    """What came of a case."""

    kind: str
    number: int
    arguments: tuple[str, ...]
    through_command_line: bool
    answer: Answer
    faults: list[str]


def main() -> int:
    """Makes the good material, runs all cases, and prints a row for each kind."""
    options = _parse()
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ.update(
            {"VIDMODEL_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
        )
        good = Good(folder / "good")
        if not good.secret.exists():
            shutil.rmtree(good.folder, ignore_errors=True)
            made = [sys.executable, "-m", "tests.hostile.good", str(good.folder)]
            subprocess.run(made, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        num_cases = round(options.cases * options.share)
        chosen = [kind for kind in KINDS if options.kind in kind]
        cases = [(chosen[number % len(chosen)], number) for number in range(num_cases)]
        judged = _run_all(cases, good, folder / "cases", options)
    _show(judged, time.monotonic() - begin)
    if options.json:
        options.json.write_text(json.dumps([asdict(case) for case in judged], indent=1, ensure_ascii=True))
    return int(any(case.faults for case in judged))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1040, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1.0, help="of the cases: 0.1 runs a tenth")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every case and its answer here")
    parser.add_argument("--kind", default="", help="only kinds whose names hold this")
    parser.add_argument("--folder", type=Path, help="keep the good material here")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def _run_all(cases: Sequence[tuple[str, int]], good: Good, folder: Path, options: argparse.Namespace) -> list[Judged]:
    waiting: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    for case in cases:
        waiting.put(case)
    judged: list[Judged] = []
    wholes = _Wholes()
    runners = [_Runner(good, folder, options.seed, waiting, judged, wholes) for _ in range(options.processes)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return sorted(judged, key=lambda case: case.number)


class _Wholes:
    """The answers to what is not damaged, each asked once a way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, ...], Answer] = {}

    def answer(self, arguments: tuple[str, ...], process: WarmProcess) -> Answer:
        with self._lock:
            if arguments not in self._answers:
                answer = process.run(arguments, 120.0)
                if answer.code != 0:
                    raise RuntimeError(f"{arguments} fails on what is whole: {answer.stderr[-500:]}")
                self._answers[arguments] = answer
            return self._answers[arguments]


class _Runner(threading.Thread):
    """Takes cases until there are no more."""

    def __init__(self, good: Good, folder: Path, seed: int, waiting, judged: list[Judged], wholes: _Wholes) -> None:
        super().__init__(daemon=True)
        self._good, self._folder, self._seed = good, folder, seed
        self._waiting, self._judged, self._wholes = waiting, judged, wholes
        self._process = WarmProcess()

    def run(self) -> None:
        with contextlib.closing(self._process), listener() as (address, heard), contextlib.suppress(queue.Empty):
            while True:
                kind, number = self._waiting.get_nowait()
                self._judged.append(self._run_case(kind, number, address, heard))
                _tell(self._judged[-1])

    def _run_case(self, kind: str, number: int, address: str, heard: list[bytes]) -> Judged:
        folder = self._folder / f"{number:05}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        place = Place(self._good, folder, address, random.Random(f"{self._seed} {number}"))
        case = KINDS[kind](place)
        through_command_line = number % COMMAND_LINE_EVERY == 0 and _can_be_typed(case)
        heard.clear()
        limit = LIMIT_SECONDS + UNDISTURBED_SECONDS.get(case.arguments[0], 0.0)
        answer = self._ask(case, through_command_line, limit)
        if answer.end == "late":  # on a machine that is busy: then what counts is the time of the processor
            answer = self._ask(case, through_command_line, limit * PATIENCE)
        whole = None if case.whole is None or answer.code else self._wholes.answer(case.whole, self._process)
        faults = judge(case, answer, whole, place.out, heard, limit)
        if not faults:
            shutil.rmtree(folder, ignore_errors=True)
        return Judged(kind, number, case.arguments, through_command_line, answer, faults)

    def _ask(self, case: Case, through_command_line: bool, limit: float) -> Answer:
        if through_command_line:
            return run_command(case.arguments, limit + START_SECONDS)
        return self._process.run(case.arguments, limit)


def _can_be_typed(case: Case) -> bool:
    longest = max(map(len, case.arguments))
    return case.arguments[0] != "graph" and longest < 100_000 and not any("\0" in part for part in case.arguments)


def _tell(judged: Judged) -> None:
    if judged.faults:
        last = (judged.answer.stderr.strip().splitlines() or [""])[-1]
        print(
            f"{judged.number:5} {judged.kind}: {', '.join(judged.faults)}: {last[:300]!r}", file=sys.stderr, flush=True
        )


def _show(judged: Sequence[Judged], seconds: float) -> None:
    print("| Kind | cases | answers | one line | not allowed | slowest, s |")
    print("| --- | ---: | ---: | ---: | --- | ---: |")
    for kind in KINDS:
        if some := [case for case in judged if case.kind == kind]:
            print(_row(kind, some))
    print(_row("all", judged))
    num_typed = sum(case.through_command_line for case in judged)
    print(f"\n{len(judged)} cases, {num_typed} of them through the command line, in {seconds / 60:.1f} minutes")


def _row(kind: str, some: Sequence[Judged]) -> str:
    faults = Counter(fault for case in some for fault in case.faults)
    allowed = [case for case in some if not case.faults]
    answered = sum(case.answer.code == 0 for case in allowed)
    warm = [case.answer.seconds for case in some if not case.through_command_line]
    names = ", ".join(f"{number} {fault}" for fault, number in faults.most_common()) or "0"
    return f"| {kind} | {len(some)} | {answered} | {len(allowed) - answered} | {names} | {max(warm, default=0):.1f} |"


if __name__ == "__main__":
    sys.exit(main())
