"""One hostile input with the command that gets it, and what came of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.good import Good


@dataclass(frozen=True)
class Place:
    """What the maker of a case has at hand.

    Args:
        good: What is whole.
        folder: An empty one for the case.
        address: Of a listener that is to hear nothing.
        rng: Seeded for the case.
    """

    good: Good
    folder: Path
    address: str
    rng: random.Random

    @property
    def out(self) -> Path:
        """Where the command is to write."""
        return self.folder / "out"

    def write(self, name: str, content: bytes) -> Path:
        """Writes a file of the case."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


@dataclass(frozen=True)
class Case:
    """A command line, or requests to the exported graph.

    Args:
        arguments: What follows `vidmodel`; `("graph", SEED)`: requests.
        whole: The same command on what is whole: the answer must be an error or equal to its answer.
        is_whole_or_absent: Whether `Place.out` must not exist after an error.
    """

    arguments: tuple[str, ...]
    whole: tuple[str, ...] | None = None
    is_whole_or_absent: bool = False


@dataclass(frozen=True)
class Answer:
    """What a process made of a case.

    Args:
        code: The exit code; None: the process died or was killed.
        seconds: From the command's begin to its end.
        processor_seconds: Of the process and its children meanwhile; 0 for a process that was killed.
        megabytes: That the process grew by, at most.
        stdout: What it printed.
        stderr: Likewise.
        end: "", "late" or "died".
    """

    code: int | None
    seconds: float
    processor_seconds: float
    megabytes: float
    stdout: str
    stderr: str
    end: str = ""
