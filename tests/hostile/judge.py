"""What is allowed: a right answer, or one line that says what is wrong. Everything else is a fault."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.hostile.case import Answer, Case
from tests.hostile.good import SECRET

LIMIT_MEGABYTES = 1500.0
TOLERANCE = 1e-3
# What a file is called while it is written, before it takes its place.
_BEING_WRITTEN = re.compile(r"\..*\.[a-z0-9_]{8}(\..*)?")
_TIMES = re.compile(r"seconds|time|path|model|data|folder|fingerprint", re.IGNORECASE)


def judge(
    case: Case, answer: Answer, whole: Answer | None, out: Path, heard: Sequence[bytes], limit_seconds: float
) -> list[str]:
    """The faults of an answer; none: it is allowed.

    Args:
        case: What was run.
        answer: What came of it.
        whole: The answer of the same command on what is whole, where they must be equal.
        out: Where the command was to write.
        heard: Connections to an address that only the input names.
        limit_seconds: Of a processor, which the others on the machine do not take away.
    """
    is_slow = answer.processor_seconds > limit_seconds and not answer.end
    return ["hang"] * is_slow + list(_faults(case, answer, whole, out, heard))


def _faults(case: Case, answer: Answer, whole: Answer | None, out: Path, heard: Sequence[bytes]) -> Iterator[str]:
    if answer.end:
        yield {"late": "hang", "died": "crash"}[answer.end]
    if "Traceback (most recent call last)" in answer.stdout + answer.stderr:
        yield "traceback"
    elif answer.code not in (0, 1, 2, None):
        yield f"exit code {answer.code}"
    elif answer.code and not (answer.stderr.strip() or answer.stdout.strip()):
        yield "no message"
    if answer.megabytes > LIMIT_MEGABYTES:
        yield "memory"
    if heard:
        yield "address read"
    if SECRET in answer.stdout + answer.stderr or _holds_secret(out):
        yield "file read"
    if answer.code == 0 and whole is not None and not _are_equal(answer.stdout, whole.stdout):
        yield "changed answer"
    if _is_half_written(case, answer, out):
        yield "half written"


def _holds_secret(out: Path) -> bool:
    files = (path for path in out.parent.glob(f"{out.name}*/**/*") if path.is_file() and not path.is_symlink())
    return any(SECRET.encode() in path.read_bytes() for path in files)


def _is_half_written(case: Case, answer: Answer, out: Path) -> bool:
    if case.is_whole_or_absent and answer.code and any(path.is_file() for path in out.rglob("*")):
        return True
    if answer.code is None or not out.is_dir():
        return False
    return any(_BEING_WRITTEN.fullmatch(name) for _, _, names in os.walk(out) for name in names)


def _are_equal(answer: str, whole: str) -> bool:
    """Whether two outputs say the same, but for names of places and times."""
    first, second = ([_parse(line) for line in text.splitlines() if line.strip()] for text in (answer, whole))
    return len(first) == len(second) and all(map(_agree, first, second))


def _parse(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None  # a table for people


def _agree(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(
            _TIMES.search(key) or _agree(first[key], second[key]) for key in first
        )
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_agree, first, second))
    if isinstance(first, float) and isinstance(second, int | float):
        return math.isclose(first, second, abs_tol=TOLERANCE)
    return first == second
