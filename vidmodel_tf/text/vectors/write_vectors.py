"""Writes word vectors as word2vec's text format, which this package and others read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.storage import atomic_write


def write_word_vectors(path: str | Path, words: Sequence[str], values: np.ndarray) -> None:
    """Writes a header `WORDS D`, then a line a word; each number in the fewest digits that give it back in float32.

    Args:
        path: The file to make.
        words: Without white space, each once.
        values: float32 [W, D].
    """
    with atomic_write(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{len(words)} {values.shape[1]}\n")
        for word, vector in zip(words, values.astype(np.float32), strict=True):
            file.write(f"{word} {' '.join(map(str, vector))}\n")
