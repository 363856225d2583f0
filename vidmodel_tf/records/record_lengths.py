"""The lengths that records claim to have, checked against their file: TensorFlow allocates what a record claims.

A length that does not fit into memory ends the process, without an exception. No TensorFlow.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from vidmodel_tf.errors import InputError

MAX_RECORD_BYTES = 2**31 - 1  # the most that TensorFlow parses
_HEADER = struct.Struct("<QI")  # the length, and its checksum; another checksum stands behind the record
_CHECKSUM_BYTES = 4


def check_record_lengths(paths: Iterable[str]) -> None:
    """Refuses TFRecord files with a record that does not fit into its file.

    A file that was checked is looked at again only when its size or time is another. One that cannot be opened is left
    to those who read it.

    Raises:
        InputError: A file has one, or ends in the middle of a record.
    """
    for path in paths:
        try:
            status = Path(path).stat()
        except OSError:
            continue
        _check_file(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _check_file(path: str, num_bytes: int, _time: int) -> None:
    with Path(path).open("rb") as file:
        place = 0
        while place < num_bytes:
            place = _end_of_record(file, place, num_bytes, path)


def _end_of_record(file: BinaryIO, place: int, num_bytes: int, path: str) -> int:
    file.seek(place)
    header = file.read(_HEADER.size)
    length = _HEADER.unpack(header)[0] if len(header) == _HEADER.size else 0
    end = place + _HEADER.size + length + _CHECKSUM_BYTES
    if end > num_bytes or length > MAX_RECORD_BYTES:
        raise InputError(
            f"a record cannot be read (at byte {place:,}, it claims to end at {end:,} of {num_bytes:,}): the data set "
            "was damaged or cut off; fetch it again, or make it anew with `vidmodel prepare`",
            subject=path,
        )
    return end
