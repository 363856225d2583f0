"""Commands in processes of their own that are killed or interrupted, and what they leave behind."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

PATIENCE_SECONDS = 900.0
CHILD_SECONDS = 10.0  # one that was just starting when its parent was killed sees so when it has started


class Running:
    """A command at work. What it says goes to files, which never fill up as pipes do.

    Args:
        command: The words of the command line.
        folder: Where it is run.
        environment: Its variables.
        logs: A folder for what it prints and says.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str], logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._printed, self._told = logs / "printed.txt", logs / "told.txt"
        self.started = time.monotonic()
        with self._printed.open("wb") as printed, self._told.open("wb") as told:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=told
            )

    @property
    def printed(self) -> str:
        """Its standard output so far."""
        return self._printed.read_text(errors="replace")

    @property
    def told(self) -> str:
        """Its standard error so far."""
        return self._told.read_text(errors="replace")

    def is_at_work_after(self, seconds: float) -> bool:
        """Waits; whether it has not ended by itself before."""
        try:
            self.process.wait(max(self.started + seconds - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            return True
        return False

    def wait(self) -> int:
        """Its exit code, at the end."""
        return self.process.wait(PATIENCE_SECONDS)

    def signal(self, number: int) -> list[psutil.Process]:
        """Sends it a signal, and gives the processes that it had then, and those that they had."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        self.process.send_signal(number)
        return children


def num_left(children: Sequence[psutil.Process]) -> int:
    """How many are still there after a while; they are killed then."""
    _, left = psutil.wait_procs(children, CHILD_SECONDS)
    for child in left:
        child.kill()
    return len(left)
