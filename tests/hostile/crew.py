"""Runs cases: in a process that is warm, or through the command line as a user would."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.hostile.case import Answer

ROOT = Path(__file__).parents[2]
CASES_A_PROCESS = 60  # what libraries leak goes with it
START_SECONDS = 120.0


class WarmProcess:
    """One process that runs commands; begun anew when it died, hung or ran many."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._num_cases = 0

    def run(self, arguments: Sequence[str], limit_seconds: float) -> Answer:
        """Runs a command; a process that does not answer in time is killed, with all that it began."""
        if self._process is None or self._num_cases >= CASES_A_PROCESS:
            self._begin()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        begin = time.monotonic()
        self._num_cases += 1
        process.stdin.write(json.dumps(list(arguments)) + "\n")
        process.stdin.flush()
        line = self._line(limit_seconds)
        if line:
            return Answer(**json.loads(line))
        is_late = process.poll() is None
        self.close()
        return Answer(
            None, time.monotonic() - begin, 0.0, 0.0, "", f"exit {process.poll()}", "late" if is_late else "died"
        )

    def close(self) -> None:
        """Ends the process and its children."""
        if self._process is not None:
            _kill_group(self._process)
            self._process = None

    def _begin(self) -> None:
        self.close()
        self._num_cases = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="surrogateescape",
            cwd=ROOT,
            start_new_session=True,
        )
        if not self._line(START_SECONDS).startswith("ready"):
            raise RuntimeError("the process that runs the commands does not start")

    def _line(self, limit_seconds: float) -> str:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], limit_seconds)
        return process.stdout.readline() if ready else ""


def run_command(arguments: Sequence[str], limit_seconds: float) -> Answer:
    """Runs `vidmodel` in a process of its own, as a user would."""
    with tempfile.TemporaryFile("w+b") as stdout, tempfile.TemporaryFile("w+b") as stderr:
        begin = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "vidmodel_tf", *map(os.fsencode, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(limit_seconds)
        seconds, code = time.monotonic() - begin, process.poll()
        _kill_group(process)
        end = "late" if code is None else "died" if code < 0 else ""
        return Answer(None if end else code, seconds, 0.0, 0.0, _read(stdout), _read(stderr), end)


def _read(file) -> str:
    file.seek(0)
    return file.read(4_000_000).decode(errors="replace")


def _kill_group(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
