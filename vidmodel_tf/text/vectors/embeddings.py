"""The setting `model.embeddings` -> word vectors, and what a run folder says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.text.vectors.packaged import read_packaged_vectors
from vidmodel_tf.text.vectors.read_vectors import read_word_vectors
from vidmodel_tf.text.vectors.word_vectors import WordVectors

_KEPT = "file:"  # before the hash of a file, in a run folder


def is_vector_file(setting: str) -> bool:
    """Whether a value of `model.embeddings` is the path of a file.

    Example:
        >>> [is_vector_file(setting) for setting in ("none", "packaged", "file:00", "my.vec")]
        [False, False, False, True]
    """
    return setting not in ("none", "packaged") and not setting.startswith(_KEPT)


def read_embeddings(config: ModelConfig, words: Collection[str], kept: Path) -> WordVectors | None:
    """The word vectors that a model's embeddings begin as.

    Args:
        config: The settings, as the user gave them or as a run folder has them.
        words: Of the vocabulary.
        kept: Where a run folder keeps the vectors of its vocabulary, if it has any; read where the settings are those
            of a run folder, whose file may be gone.

    Returns:
        None with `embeddings="none"`.

    Raises:
        InputError: The vectors cannot be read, or none is of these words.
    """
    setting = config.embeddings
    if setting == "none":
        return None
    if setting == "packaged":
        return read_packaged_vectors(words)
    if is_vector_file(setting):
        return read_word_vectors(setting, words)
    if kept.is_file():
        return read_kept_vectors(config, words, kept)
    raise InputError(
        "model.embeddings: expected 'none', 'packaged' or the path of a file of word vectors. "
        f"Received: {setting!r}, which is how a run folder names a file; give the path of that file"
    )


def read_kept_vectors(config: ModelConfig, words: Collection[str], kept: Path) -> WordVectors:
    """Word vectors out of a file that this package wrote, which holds a part of those that the settings name.

    Args:
        config: The settings, from `resolve_embeddings`.
        words: Of the vocabulary.
        kept: The file.

    Raises:
        InputError: The file cannot be read, or has none of these words.
    """
    vectors, setting = read_word_vectors(kept, words), config.embeddings
    return dataclasses.replace(vectors, sha256=setting.removeprefix(_KEPT)) if setting.startswith(_KEPT) else vectors


def resolve_embeddings(config: ModelConfig, vectors: WordVectors | None) -> ModelConfig:
    """The settings as a run folder has them: without a path, and with the dimension of the vectors.

    Args:
        config: The settings as the user gave them.
        vectors: From `read_embeddings`.

    Raises:
        InputError: `embedding_units` is another dimension.
    """
    if vectors is None:
        return config
    if config.embedding_units not in (None, vectors.dimension):
        raise InputError(
            f"model.embedding_units: expected {vectors.dimension}, the dimension of the word vectors, or no such "
            f"setting. Received: {config.embedding_units}"
        )
    name = "packaged" if config.embeddings == "packaged" else f"{_KEPT}{vectors.sha256}"
    return dataclasses.replace(config, embeddings=name, embedding_units=vectors.dimension)
