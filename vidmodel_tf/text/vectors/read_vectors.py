"""Reads the vectors of some words out of a file that may be far larger than memory."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import file_sha256
from vidmodel_tf.text.characters import translation
from vidmodel_tf.text.vectors.open_vectors import open_vectors
from vidmodel_tf.text.vectors.vector_file import VectorFile
from vidmodel_tf.text.vectors.word_vectors import WordVectors


def read_word_vectors(path: str | Path, words: Collection[str]) -> WordVectors:
    """Reads the vectors of words; only these are kept in memory.

    A word of the file serves if it is the same, else if it is the same in lower case as the tokenizer writes it
    ("Paris" for "paris"). Of entries that come twice the first counts. Words of the file that are not UTF-8 serve for
    none.

    Args:
        path: In word2vec's text or binary format, GloVe's, or fastText's `.vec`; the content decides.
        words: Tokens, as a vocabulary has them.

    Raises:
        InputError: The file is missing, damaged or of another format, or has none of the words.
    """
    path, wanted = Path(path), frozenset(words)
    with open_vectors(path) as file:
        found = _find(file, wanted)
    if not found:
        raise InputError(
            f"expected vectors of words of the data set. Received: none of its {len(wanted)} words has one; "
            "are they of another language?",
            subject=path,
        )
    in_order = tuple(word for word in words if word in found)
    return WordVectors(in_order, np.stack([found[word] for word in in_order]), file_sha256(path))


def _find(file: VectorFile, wanted: frozenset[str]) -> dict[str, np.ndarray]:
    same: dict[str, np.ndarray] = {}
    lower: dict[str, np.ndarray] = {}
    to_lower = translation()
    for number, raw, values in file.entries():
        try:
            word = raw.decode()
        except UnicodeDecodeError:
            continue
        if word in wanted:
            token, found = word, same
        else:
            token, found = word.translate(to_lower), lower
        if token in wanted and token not in found:
            found[token] = file.parse(number, values)
    return lower | same
