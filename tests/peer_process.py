"""The process of `tests.serving_peer`, started and given orders by tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODEL_NAME = "colours 颜色"  # which a URL has to quote


class Peer:
    """The process of `tests.serving_peer`."""

    def __init__(self, version: Path) -> None:
        command = [sys.executable, "-m", "tests.serving_peer", str(version), MODEL_NAME]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.ports = self._read()

    def order(self, **what) -> int:
        """Gives an order; the calls so far."""
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return self._read()["calls"]

    def _read(self):
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1][-2000:]
        return json.loads(line)
