"""When a command began, last imported something, and was done: told through a file that two processes map."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

from tests.hostile.processes import PATIENCE_SECONDS, Running

_TIMES = struct.Struct("<ddd")  # each is 0 where it has not come yet


class Marks:
    """Moments of `time.monotonic`, which is the same for all processes.

    Args:
        path: A file; it is emptied by whoever starts the command.
        is_new: Whether to do that.
    """

    def __init__(self, path: Path, is_new: bool = True) -> None:
        if is_new:
            path.write_bytes(bytes(_TIMES.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _TIMES.size)

    @property
    def last_import(self) -> float:
        """When the main thread was last seen in an import."""
        return _TIMES.unpack_from(self._map)[1]

    @property
    def end(self) -> float:
        """When its work was done."""
        return _TIMES.unpack_from(self._map)[2]

    def mark_begin(self) -> None:
        """The command begins."""
        struct.pack_into("<d", self._map, 0, time.monotonic())

    def mark_import(self) -> None:
        """The command imports something."""
        struct.pack_into("<d", self._map, 8, time.monotonic())

    def mark_end(self) -> None:
        """Its work is done."""
        struct.pack_into("<d", self._map, 16, time.monotonic())

    def wait_until_begun(self, running: Running) -> float:
        """When the command has begun."""
        while not (begun := _TIMES.unpack_from(self._map)[0]):
            if running.process.poll() is not None or time.monotonic() > running.started + PATIENCE_SECONDS:
                raise SystemExit(f"it did not begin: {running.told[-2000:]}")
            time.sleep(0.005)
        return begun
