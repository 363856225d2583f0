"""What a file of word vectors is, whatever its format, and the limits that keep a hostile one from filling memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from vidmodel_tf.errors import InputError

MAX_DIMENSION = 4096  # the largest known vectors have 1,000 numbers
MAX_WORD_BYTES = 4096
TRUNCATED = "it was cut short: fetch it again"

_HEADER = re.compile(rb"(\d{1,15})[ \t](\d{1,15})[ \t]*\r?\n?")


class VectorFile(Protocol):
    """An open file whose entries are read one after the other."""

    dimension: int

    def entries(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Each entry's number, its word and its numbers as they stand in the file.

        Raises:
            InputError: The file is damaged; the entry is named.
        """
        ...

    def parse(self, number: int, values: bytes) -> np.ndarray:
        """The numbers of an entry, float32 [D].

        Raises:
            InputError: They are no finite numbers; the entry is named.
        """
        ...


def parse_header(line: bytes) -> tuple[int, int] | None:
    """The number of words and D from a line `WORDS D`, with which word2vec and fastText begin a file; else None.

    Example:
        >>> parse_header(b"400000 50\\n")
        (400000, 50)
        >>> parse_header(b"the 0.418 0.24968\\n")
    """
    match = _HEADER.fullmatch(line)
    return (int(match[1]), int(match[2])) if match else None


def check_dimension(dimension: int, path: Path) -> None:
    """Refuses a length of vectors that no such file has.

    Raises:
        InputError: It is 0, or above `MAX_DIMENSION`.
    """
    if not 1 <= dimension <= MAX_DIMENSION:
        raise InputError(
            f"expected vectors of 1 to {MAX_DIMENSION} numbers. Received: {dimension}; is it a file of word vectors?",
            subject=path,
        )


def check_finite(vector: np.ndarray, where: str, path: Path) -> np.ndarray:
    """The same vector.

    Raises:
        InputError: A number of it is not finite in float32.
    """
    if not np.isfinite(vector).all():
        raise InputError(f"{where}: expected finite numbers. Received: {vector[~np.isfinite(vector)][0]}", subject=path)
    return vector
