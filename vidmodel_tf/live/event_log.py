"""`events.jsonl`: what happened to live sources, a line at once, over any number of restarts."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from vidmodel_tf.append_whole import append_whole
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.folder_lock import locked

NAME = "events.jsonl"
Line = dict[str, Any]  # of the log, parsed
LineType = Literal["start", "update", "end", "notify", "lost", "connected", "dropped"]


class EventLog:
    """Appends to the log of a folder. What a run that was killed left open is ended first.

    A line is `{"time", "source", "type", "event", ...}`: `time` in ISO with its zone, `event` the id of the event or
    None. It is in the file when `write` returns. May be called from any thread.

    Args:
        folder: Is made if it is missing. Only one process at a time may log into it.
        warn: Told of lines that cannot be read.
        show: Given each line in short, for people.

    Raises:
        InputError: Another process logs into the folder.
        VidmodelError: The log cannot be written.
    """

    def __init__(
        self, folder: Path, warn: Callable[[str], None], show: Callable[[str], None] = lambda line: None
    ) -> None:
        self._show = show
        self.path = folder / NAME
        self._lock = threading.Lock()
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(folder))
                self._file = held.enter_context(self.path.open("a+b", buffering=0))
            except OSError as error:
                raise VidmodelError(f"{error.filename or self.path}: cannot be written ({error.strerror})") from None
            self._held = held.pop_all()
        self._number = 0
        self._end_open_events(warn)

    def close(self) -> None:
        """Frees the log for another process. May be called twice."""
        self._held.close()

    def new_id(self) -> str:
        """The id of a new event. It occurs nowhere else in the log, nor in one that was moved away."""
        with self._lock:
            self._number += 1
            return f"{_now():%Y%m%dT%H%M%S}-{self._number}"

    def write(self, source: str, kind: LineType, event: str | None = None, **fields: object) -> str:
        """Appends a line.

        Args:
            source: The name of the source.
            kind: What happened.
            event: The id of the event that it is about.
            fields: What else the line says.

        Returns:
            The line, without its end.

        Raises:
            VidmodelError: The disk is full, or the log cannot be written for another reason.
        """
        time = _now().isoformat(timespec="milliseconds")
        values = {"time": time, "source": source, "type": kind, "event": event, **fields}
        line = json.dumps(values, ensure_ascii=False, allow_nan=False)
        with self._lock:
            self._append(line)
        self._show(_in_short(values))
        return line

    def _append(self, line: str) -> None:
        if self._file.closed:
            raise VidmodelError(f"{self.path} is closed")
        try:
            append_whole(self._file, line.encode() + b"\n")
        except OSError as error:
            raise VidmodelError(f"{self.path} cannot be written ({error.strerror})") from None

    def _end_open_events(self, warn: Callable[[str], None]) -> None:
        self._cut_unfinished_line()
        open_events: dict[str, Line] = {}
        for line in self._lines(warn):
            event = str(line.get("event"))
            if line.get("type") in ("start", "update"):
                open_events[event] = open_events.get(event, {}) | line
            elif line.get("type") == "end":
                open_events.pop(event, None)
            number = re.fullmatch(r".*-(\d+)", event)
            self._number = max(self._number, int(number[1]) if number else 0)
        for event, line in open_events.items():
            fields = {key: value for key, value in line.items() if key not in ("time", "source", "type", "event")}
            self.write(str(line.get("source")), "end", event, **fields, reason="restart")

    def _cut_unfinished_line(self) -> None:
        """A process that is killed while it writes leaves half a line."""
        size = self._file.seek(0, os.SEEK_END)
        start, block = size, b""
        while start and b"\n" not in block:
            start = max(start - 65536, 0)
            self._file.seek(start)
            block = self._file.read(65536)
        end = start + block.rfind(b"\n") + 1
        if end < size:
            self._file.truncate(end)

    def _lines(self, warn: Callable[[str], None]) -> Iterator[Line]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    value = None
                if isinstance(value, dict):
                    yield value
                else:
                    warn(f"{self.path}: line {number} is not a JSON object; it is passed over")


def _in_short(values: Mapping[str, object]) -> str:
    """For people.

    Example:
        >>> _in_short({"time": "2026-11-26T12:15:30+00:00", "source": "door", "type": "lost", "reason": "timed out"})
        '12:15:30 door lost timed out'
    """
    told = [values[key] for key in ("source", "type", "rule", "score", "seconds", "reason") if values.get(key)]
    return " ".join([str(values["time"])[11:19], *map(str, told)])


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()
