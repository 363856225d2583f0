"""Trains word vectors on texts of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import import_extra
from vidmodel_tf.text.vectors.vector_file import MAX_DIMENSION

NUM_EPOCHS = 20  # gensim's 5 are meant for billions of words
MIN_COUNT = 2  # a word that comes once has too little context


def train_vectors(
    sentences: Sequence[Sequence[str]], *, units: int = 100, seed: int = 0
) -> tuple[list[str], np.ndarray]:
    """Learns vectors such that words with like neighbours have like vectors.

    Skip-gram with negative sampling, Mikolov et al., "Distributed Representations of Words and Phrases and their
    Compositionality" (2013), in one thread: the same sentences and seed give the same vectors.

    Args:
        sentences: Each a list of tokens; words of two sentences are no neighbours.
        units: D, the length of a vector.
        seed: Of the initial vectors and of what is drawn in training.

    Returns:
        The words that come at least `MIN_COUNT` times, by falling count, and their vectors, float32 [W, D].

    Raises:
        InputError: gensim is not installed, or there are too few words.
    """
    if not 1 <= units <= MAX_DIMENSION:
        raise InputError(f"units: expected 1 to {MAX_DIMENSION}. Received: {units}")
    models = import_extra("gensim.models", extra="vectors", needed_for="word vectors of your own")
    model = models.Word2Vec(vector_size=units, sg=1, min_count=MIN_COUNT, workers=1, seed=seed, epochs=NUM_EPOCHS)
    model.build_vocab(sentences)
    if len(model.wv) < 2:
        raise InputError(
            f"expected at least 2 different words that come {MIN_COUNT} times or more. Received: {len(model.wv)}"
        )
    model.train(sentences, total_examples=model.corpus_count, epochs=NUM_EPOCHS)
    return list(model.wv.index_to_key), model.wv.vectors
