"""Word vectors as text, a word and its numbers a line: word2vec text and fastText `.vec` (with a header), GloVe."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.text.vectors.vector_file import TRUNCATED, check_finite, parse_header

MAX_LINE_BYTES = 1 << 18  # longer than MAX_DIMENSION numbers in 17 digits and a word
_NUMBERS = b"0123456789+-.eE \t"


class TextVectorFile:
    """Lines of a word and its numbers.

    A word may hold spaces, as some of GloVe's do, so the numbers are counted from the right. Lines end at a line feed
    alone: words hold characters that Python takes for ends of lines.

    Args:
        file: Open at its start.
        path: Of the file, for the messages.
        dimension: D.
    """

    def __init__(self, file: BinaryIO, path: Path, dimension: int) -> None:
        self.dimension = dimension
        self._file, self._path = file, path

    def entries(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Line number (from 1), word and numbers; see `VectorFile`."""
        num_words, number = None, 0
        while line := self._file.readline(MAX_LINE_BYTES):
            number += 1
            if number == 1 and (header := parse_header(line)):
                num_words, _ = header
                continue
            self._check_length(line, number)
            yield number, *self._split(line, number)
        num_read = number - (num_words is not None)
        if num_words is not None and num_read != num_words:
            advice = f"; {TRUNCATED}" if num_read < num_words else ""
            raise InputError(
                f"line 1 says {num_words} words. Received: {num_read} lines of words{advice}", subject=self._path
            )

    def parse(self, number: int, values: bytes) -> np.ndarray:
        """See `VectorFile`."""
        try:
            vector = np.array([float(value) for value in values.split()])
        except ValueError as error:
            raise InputError(f"line {number}: expected numbers after the word ({error})", subject=self._path) from None
        with np.errstate(over="ignore"):  # found as infinity
            return check_finite(vector.astype(np.float32), f"line {number}", self._path)

    def _check_length(self, line: bytes, number: int) -> None:
        if len(line) == MAX_LINE_BYTES:
            raise InputError(
                f"line {number}: expected a word and {self.dimension} numbers. "
                f"Received: a line of {MAX_LINE_BYTES} bytes or more",
                subject=self._path,
            )

    def _split(self, line: bytes, number: int) -> tuple[bytes, bytes]:
        line = line.rstrip(b"\r\n\t ")
        word = line.rsplit(None, self.dimension)[0] if line else b""
        values = line[len(word) :]
        num_values = values.count(b" ") + values.count(b"\t")
        is_short = num_values < self.dimension
        is_long = b" " in word and count_numbers(word) > 0
        if not word or is_short or is_long or values.translate(None, _NUMBERS):
            raise self._bad_line(line, number)
        return word, values

    def _bad_line(self, line: bytes, number: int) -> InputError:
        is_last = not self._file.read(1)
        advice = f"; {TRUNCATED}" if is_last else ""
        received = shown(line.decode("utf-8", "replace")) if line else "an empty line"
        return InputError(
            f"line {number}: expected a word and {self.dimension} numbers, separated by spaces. "
            f"Received: {received}{advice}",
            subject=self._path,
        )


def count_numbers(line: bytes) -> int:
    """How many numbers stand at the end of a line, behind at least one word.

    Example:
        >>> count_numbers(b"new york 0.5 -1e-3")
        2
    """
    return sum(1 for _ in itertools.takewhile(_is_number, reversed(line.split()[1:])))


def _is_number(field: bytes) -> bool:
    return re.fullmatch(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", field) is not None
