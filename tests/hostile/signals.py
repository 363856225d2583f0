"""Every command is sent SIGINT and SIGTERM while it works, and has two seconds to end without a child left."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.hostile import subjects
from tests.hostile.marks import Marks
from tests.hostile.processes import Running, num_left
from vidmodel_tf.commands.parser import COMMANDS

LIMIT_SECONDS = 2.0
_LONGEST_SECONDS = 40.0  # a signal comes no later, as some commands do not end by themselves
_GIVES_UP = "serving-client"  # its server never answers
_EXIT_CODES = {"SIGINT": 130, "SIGTERM": 143}
_RULE = {"name": "red", "head": "label", "label": "red", "on": 0.5, "off": 0.4, "decision": "review"}
ARGUMENTS = {
    "demo": ["--dir", "demo"],
    "words": ["films"],
    "prepare": ["clips.csv", "--out", "new_data", "--config", "prepare.json"],
    "inspect": ["data"],
    "vectors": ["data", "--out", "new.vec"],
    "train": ["data", "--out", "new_run", "--config", "train.json"],
    "compress": ["run", "--out", "new_small", "--data", "data", "--set", "model.projection_units=8"],
    "crossvalidate": ["data", "--out", "new_cross", "--config", "words.json", "--folds", "2", "--seeds", "1"],
    "compare": ["cross", "cross"],
    "evaluate": ["run", "--data", "data"],
    "predict": ["run", "clip00.mp4", "clip01.mp4"],
    "timeline": ["run", "film.mp4", "--out", "new_lines", "--clips", "--annotate"],
    "decide": ["lines", "--policy", "policy.json", "--audit", "audit.jsonl"],
    "calibrate": ["many", "--truth", "truth.csv", "--out", "new.json"],
    "audit": ["audit.jsonl"],
    "watch": ["run", "film.mp4", "--out", "watched", "--window", "0.8"],
    "export": ["run", "--out", "new_exported", "--format", "all", "--data", "data"],
    "verify": ["exported", "run"],
    "check": ["data", "run", "exported"],
    "serving-client": ["127.0.0.1:{port}", "model", "clip00.mp4", "--settings", "run"],
    "completion": ["bash"],
}


@dataclasses.dataclass(frozen=True)
class Interrupted:
    """A command that was sent a signal.

    Attributes:
        command: Its name.
        signal: Name of the signal.
        moment: Seconds from its start to the signal.
        seconds: From the signal, or the end of the imports if that was later, to the end.
        left: Processes that outlived it.
        fault: What was wrong with its exit code or what it said; "" if nothing was.
    """

    command: str
    signal: str
    moment: float
    seconds: float
    left: int
    fault: str


def interrupt_all(whole: Path, folder: Path, seed: int, num_signals: float) -> Iterator[Interrupted]:
    """Sends signals to each command, at random moments of the time that it takes undisturbed.

    Args:
        whole: What the commands that were killed had left undisturbed.
        folder: Work goes on there.
        seed: Of the moments.
        num_signals: To each command; below 1, to some of the commands only.
    """
    work = folder / "signals"
    for name in ("crossvalidate", "timeline", "export", "films"):
        shutil.copytree(whole / name, work, dirs_exist_ok=True)
    (work / "policy.json").write_text(json.dumps({"version": 1, "rules": [_RULE]}))
    _write_truth(work)
    chance = random.Random(seed)
    num_commands = max(round(min(num_signals, 1) * len(COMMANDS)), 1)
    chosen = chance.sample(list(COMMANDS), num_commands)
    commands = [command for command in COMMANDS if command in chosen]  # some need what those before them leave
    with socket.create_server(("127.0.0.1", 0)) as server:  # it accepts, and never answers
        for command in commands:
            arguments = [word.format(port=server.getsockname()[1]) for word in ARGUMENTS[command]]
            undisturbed = _undisturbed_seconds(command, arguments, work)
            for number in range(max(round(num_signals), 1)):
                how = ("SIGINT", "SIGTERM")[number % 2]
                result = _interrupt(command, arguments, how, undisturbed, chance, work)
                print(result, file=sys.stderr, flush=True)
                yield result


def _write_truth(work: Path) -> None:
    """As many timelines, each of another video, and as many events as a calibration needs."""
    document = json.loads((work / "lines" / "film.timeline.json").read_text())
    rows = ["path,start_seconds,end_seconds,head,label"]
    (work / "many").mkdir()
    for number in range(4):
        video = {**document["video"], "path": f"{number}.mp4", "sha256": f"{number:064}"}
        (work / "many" / f"{number}.timeline.json").write_text(json.dumps({**document, "video": video}))
        rows += [f"{number}.mp4,{start},{start + 1},label,red" for start in range(0, 18, 2)]
    (work / "truth.csv").write_text("\n".join(rows) + "\n")


def _undisturbed_seconds(command: str, arguments: Sequence[str], work: Path) -> float:
    """How long it takes, or as long as one may wait for it."""
    running, marks = _start(command, arguments, work)
    begun = marks.wait_until_begun(running)
    if running.is_at_work_after(begun - running.started + _LONGEST_SECONDS):
        num_left(running.signal(signal.SIGKILL))
    if running.wait() not in (0, -signal.SIGKILL) and command != _GIVES_UP:
        raise SystemExit(f"{command} fails undisturbed: {running.told[-2000:]}")
    return time.monotonic() - begun


def _interrupt(
    command: str, arguments: Sequence[str], how: str, undisturbed: float, chance: random.Random, work: Path
) -> Interrupted:
    moment = undisturbed * chance.random()
    while True:
        running, marks = _start(command, arguments, work)
        begun = marks.wait_until_begun(running)
        if running.is_at_work_after(begun - running.started + moment):
            break
        moment *= 0.7  # it has ended by itself
    sent = time.monotonic()
    children = running.signal(getattr(signal, how))
    code = running.wait()
    seconds = time.monotonic() - max(sent, marks.last_import)
    left = num_left(children)
    return Interrupted(
        command, how, round(moment, 2), round(seconds, 2), left, _fault(command, how, code, running, marks)
    )


def _fault(command: str, how: str, code: int, running: Running, marks: Marks) -> str:
    if marks.end and code in (-getattr(signal, how), 0):
        return ""  # its work was done, and Python was shutting down
    lines = [line for line in running.told.splitlines() if "interrupted" in line]
    is_wish = command == "watch" and code == 0
    is_told = is_wish or (code == _EXIT_CODES[how] and len(lines) == 1 and running.told.endswith(f"{lines[0]}\n"))
    if is_told and "Traceback" not in running.told:
        return ""
    return f"{command}, {how}: exit code {code}: {' '.join(running.told.split())[-300:]}"


def _start(command: str, arguments: Sequence[str], work: Path) -> tuple[Running, Marks]:
    for path in [*work.glob("new*"), work / "demo", work / "watched"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    marks = Marks(work.with_name("marks"))
    words = [sys.executable, "-m", "tests.hostile.marked_command", str(work.with_name("marks")), command, *arguments]
    return Running(words, work, subjects.environment(work), work.with_name("logs") / command), marks
