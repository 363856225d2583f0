"""Word vectors in word2vec's binary format: a header line, then word, space and D little-endian float32, N times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.text.vectors.vector_file import MAX_WORD_BYTES, TRUNCATED, check_finite

_CHUNK_BYTES = 1 << 20


class BinaryVectorFile:
    """Entries without lines; a line feed may stand before a word.

    Args:
        file: Open right after the header line.
        path: Of the file.
        num_words: From the header.
        dimension: D, from the header.

    Raises:
        InputError: The file is too short for so many words.
    """

    def __init__(self, file: BinaryIO, path: Path, num_words: int, dimension: int) -> None:
        self.dimension = dimension
        self._file, self._path, self._num_words = file, path, num_words
        shortest = num_words * (4 * dimension + 1)  # words of no letter
        rest = path.stat().st_size - file.tell()
        if rest < shortest:
            raise InputError(
                f"its first line says {num_words} words of {dimension} numbers, at least {shortest} bytes. "
                f"Received: {rest}; {TRUNCATED}",
                subject=path,
            )

    def entries(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Number of the word (from 1), word and numbers; see `VectorFile`."""
        held, begin = b"", 0
        for number in range(1, self._num_words + 1):
            while (end := held.find(b" ", begin)) < 0 or len(held) < end + 1 + 4 * self.dimension:
                if end < 0 and len(held) - begin > MAX_WORD_BYTES:
                    raise self._damaged(number, f"no space in {MAX_WORD_BYTES} bytes")
                chunk = self._file.read(_CHUNK_BYTES)
                if not chunk:
                    raise self._damaged(number, f"the end of the file; {TRUNCATED}")
                held, begin = held[begin:] + chunk, 0
            stop = end + 1 + 4 * self.dimension
            yield number, held[begin:end].lstrip(b"\n"), held[end + 1 : stop]
            begin = stop
        if (held[begin:] + self._file.read(2)).strip(b"\r\n"):
            raise InputError(
                f"expected the end of the file after {self._num_words} words of {self.dimension} numbers. "
                "Received: more bytes; is it a file of word2vec?",
                subject=self._path,
            )

    def parse(self, number: int, values: bytes) -> np.ndarray:
        """See `VectorFile`."""
        return check_finite(np.frombuffer(values, "<f4").astype(np.float32), f"word {number}", self._path)

    def _damaged(self, number: int, received: str) -> InputError:
        return InputError(
            f"word {number} of {self._num_words}: expected a word, a space and {self.dimension} numbers. "
            f"Received: {received}",
            subject=self._path,
        )
