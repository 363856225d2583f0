"""The lengths that records claim to have, checked against their file: TensorFlow allocates what a record claims.

A length that does not fit into memory ends the process, without an exception. No TensorFlow.
"""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from vidmodel_tf.errors import InputError
from vidmodel_tf.user_cache import identity_hash, recall, remember

MAX_RECORD_BYTES = 2**31 - 1  # the most that TensorFlow parses
_HEADER = struct.Struct("<QI")  # the length, and its checksum; another checksum stands behind the record
_CHECKSUM_BYTES = 4


def check_record_lengths(paths: Iterable[str]) -> None:
    """Refuses TFRecord files with a record that does not fit into its file.

    A file that was checked is looked at again only when it has changed, for on a slow disk every record is a seek. One
    that cannot be opened is left to those who read it.

    Raises:
        InputError: A file has one, or ends in the middle of a record.
    """
    for path in paths:
        if Path(path).is_file():
            _check_file(path, identity_hash(Path(path)))


@functools.cache
def _check_file(path: str, identity: str) -> None:
    if recall("record_lengths", identity) is True:
        return
    with Path(path).open("rb") as file:
        num_bytes, place = file.seek(0, io.SEEK_END), 0
        while place < num_bytes:
            place = _end_of_record(file, place, num_bytes, path)
    remember("record_lengths", identity, True)


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
