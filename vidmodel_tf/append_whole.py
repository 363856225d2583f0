"""Adding to a file: all or nothing."""

from __future__ import annotations

import contextlib
import os
from io import FileIO


def append_whole(file: FileIO, data: bytes, *, is_synced: bool = False) -> None:
    """Adds bytes to the end of a file that nobody else writes to now.

    Args:
        file: Opened to append, without a buffer: what stays in one is written later all the same.
        data: What to add.
        is_synced: Return only when it is on the disk.

    Raises:
        OSError: It cannot be written. The file is as it was, if it can be made shorter.
    """
    size = file.seek(0, os.SEEK_END)
    try:
        while data:  # a disk that fills up takes the first part without an error
            data = data[file.write(data) :]
        if is_synced:
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):  # the first error says more; a device cannot be made shorter
            os.ftruncate(file.fileno(), size)
        raise
