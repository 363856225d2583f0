"""A log of decisions in which a later change shows: each line holds the hash of the line before it.

The chain shows that a line was changed, removed, inserted or moved. It cannot show that the last lines were changed or
cut off, or that somebody wrote the whole file anew. Whoever has to rule that out keeps the number of lines and the last
hash, which `check_audit` gives, in another place.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import Any

from vidmodel_tf.append_whole import append_whole
from vidmodel_tf.errors import InputError

FIRST_PREVIOUS = "0" * 64
"""What the first line holds for the hash of the line before it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AuditRecord:
    """One decision.

    Attributes:
        time: When it was made, ISO 8601 with the offset from UTC.
        video: The path of the video, or the name of a live source.
        video_sha256: Of the file, hexadecimal; None for a live source.
        decision: What was decided.
        rule: The rule that decided; None, here and in the fields that follow, for the decision on the whole video.
        head: The head and
        label: the class whose score led to it.
        score: 0 to 1.
        threshold: What the score has reached.
        seconds: As `Reason` has it.
        event: The id of the event.
        model: The fingerprint of the model.
        policy: The fingerprint of the policy.
    """

    time: str
    video: str
    video_sha256: str | None
    decision: str
    rule: str | None = None
    head: str | None = None
    label: str | None = None
    score: float | None = None
    threshold: float | None = None
    seconds: float | None = None
    event: str | None = None
    model: str
    policy: str

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return dataclasses.asdict(self)


class AuditLog:
    """A file to which decisions are added, a line each, by one process or several.

    Args:
        path: JSON lines; made by the first `append`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def append(self, *records: AuditRecord) -> None:
        """Adds lines, and returns when they are on the disk: all of them, or after an error none.

        Raises:
            InputError: The last line of the file is incomplete or is no line of an audit log; nothing is added.
            OSError: The file cannot be written.
        """
        with self.path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            size = file.seek(0, os.SEEK_END)
            number, previous = self._state(_last_line(file, size))
            lines = b""
            for record in records:
                number += 1
                line = _line(number, previous, record)
                previous = _hash(line)
                lines += line
            append_whole(file, lines, is_synced=True)

    def _state(self, last_line: bytes) -> tuple[int, str]:
        """The number of lines so far, and the hash of the last."""
        if not last_line:
            return 0, FIRST_PREVIOUS
        if not last_line.endswith(b"\n"):
            raise InputError(
                f"{self.path}: expected a last line that is complete. Received: one that was cut off while it was "
                f"written; see `vidmodel audit {self.path}`, then remove that line or begin a new file"
            )
        record = _parse(last_line)
        if record is None:
            raise InputError(f"{self.path}: expected an audit log, or no file yet. Received: a file with other lines")
        return record["number"], _hash(last_line)


@dataclasses.dataclass(frozen=True)
class AuditFault:
    """Where the chain is broken.

    Attributes:
        line: The first line that is not as it was written, from 1.
        reason: What is wrong with it.
    """

    line: int
    reason: str


@dataclasses.dataclass(frozen=True)
class AuditReport:
    """What a check of an audit log found.

    Attributes:
        num_lines: Of the file, or those that were read until the fault.
        last_hash: Of the last line that is in order, hexadecimal.
        fault: None if all lines are as they were written.
    """

    num_lines: int
    last_hash: str
    fault: AuditFault | None

    def to_json(self) -> dict[str, object]:
        """`{"lines", "last_hash", "fault": {"line", "reason"}}`; the fault is null where there is none."""
        fault = None if self.fault is None else dataclasses.asdict(self.fault)
        return {"lines": self.num_lines, "last_hash": self.last_hash, "fault": fault}


def check_audit(path: str | Path) -> AuditReport:
    """Checks that the lines of an audit log are those that were written, in their order.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return _check(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _check(lines: Iterable[bytes]) -> AuditReport:
    lines = iter(lines)
    number, last_hash = 0, FIRST_PREVIOUS
    line = next(lines, b"")
    while line:
        number += 1
        following = next(lines, b"")
        fault = _fault(number, last_hash, line, following)
        if fault is not None:
            return AuditReport(number, last_hash, fault)
        last_hash, line = _hash(line), following
    return AuditReport(number, last_hash, None)


def _fault(number: int, last_hash: str, line: bytes, following: bytes) -> AuditFault | None:
    if not line.endswith(b"\n"):
        return AuditFault(number, "is not complete: it was cut off while it was written")
    record = _parse(line)
    if record is None:
        return AuditFault(number, "is not a line of an audit log")
    if record["number"] > number:
        return AuditFault(number, f"is missing here: record {record['number']} stands in its place")
    if record["number"] < number:
        return AuditFault(number, f"was inserted or moved: it is record {record['number']}")
    if record["previous"] == last_hash:
        return None
    if number == 1:
        return AuditFault(1, "was changed: it is not the first that was written")
    return _changed(number, line, following)


def _changed(number: int, line: bytes, following: bytes) -> AuditFault:
    """Which of two lines was changed that do not fit together: a third one that fits the second tells."""
    next_record = _parse(following)
    if next_record is None:
        return AuditFault(number - 1, f"was changed, or line {number} was")
    if next_record["previous"] == _hash(line):
        return AuditFault(number - 1, f"was changed: line {number} holds another hash for it")
    return AuditFault(number, f"was changed: it does not fit line {number - 1} or line {number + 1}")


def _line(number: int, previous: str, record: AuditRecord) -> bytes:
    value = {"number": number, "previous": previous, **record.to_json()}
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass") + b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None where it has none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_record = isinstance(value, dict) and type(value.get("number")) is int and isinstance(value.get("previous"), str)
    return value if is_record else None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest()


def _last_line(file: FileIO, size: int) -> bytes:
    """The last line of a file, read from its end."""
    tail, start = b"", size
    while start > 0 and b"\n" not in tail[:-1]:
        start, end = max(start - 65_536, 0), start
        file.seek(start)
        tail = file.read(end - start) + tail
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]
