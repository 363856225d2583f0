"""Word vectors in a model: its embeddings begin as such, and the mean of a clip's vectors goes straight to the heads.

Legend of shapes: B batch, L text tokens, D embedding units.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.layers import MeanPooling, SlotMask


def check_embedding_units(config: ModelConfig) -> None:
    """Refuses settings whose embeddings have no length yet.

    Raises:
        InputError: They are to begin as word vectors, and nobody has said how long these are.
    """
    if config.has_text and config.embedding_units is None:
        raise InputError(
            f"embedding_units: expected the dimension of the word vectors with embeddings={config.embeddings!r}. "
            "Received: None"
        )


def check_word_vectors(config: ModelConfig, word_vectors: Mapping[int, np.ndarray] | None) -> None:
    """Refuses vectors that do not fit the settings, and settings that need vectors where there are none.

    Args:
        config: The settings of the model.
        word_vectors: [D] by token id.

    Raises:
        InputError: They are missing, not wanted, or not as long as an embedding.
    """
    if (config.embeddings != "none") != bool(word_vectors):
        received = f"{len(word_vectors)} vectors" if word_vectors else "none"
        raise InputError(
            f"word_vectors: expected {'none' if word_vectors else 'some'} with embeddings={config.embeddings!r}. "
            f"Received: {received}; `train` reads them by itself"
        )
    for vector in (word_vectors or {}).values():
        if len(vector) != config.embedding_units:
            raise InputError(
                f"embedding_units: expected {len(vector)}, the dimension of the word vectors. "
                f"Received: {config.embedding_units}"
            )


def mean_of_word_vectors(token_ids, name: str, config: ModelConfig, vocabulary_size: int):
    """Builds the mean of the vectors of a clip's words, which are not trained: zeros until `set_word_vectors`.

    With few clips, training moves the embeddings of a word by the few titles that hold it. Vectors that stay as they
    are keep words of like meaning together.

    Args:
        token_ids: int32 [B, L].
        name: With which the names of its layers begin.
        config: The settings of the model.
        vocabulary_size: Number of token ids.

    Returns:
        [B, D], the mean over the words that have a vector, zeros where none has.
    """
    table = layers.Embedding(
        vocabulary_size, config.embedding_units, "zeros", trainable=False, name=f"{name}.word_vectors"
    )
    vectors = table(token_ids)
    known = SlotMask(name=f"{name}.words_with_vectors")(vectors)
    return MeanPooling(name=f"{name}.mean_of_word_vectors")(vectors, mask=known)


def set_word_vectors(model: keras.Model, word_vectors: Mapping[int, np.ndarray]) -> None:
    """Writes vectors into the embeddings of all ensemble members, both those that are trained and those that are not.

    Args:
        model: A model of `build_model`.
        word_vectors: [D] by token id; embeddings of other ids stay as they are.
    """
    for layer in model.get_layer("head").layers:
        if isinstance(layer, layers.Embedding):
            (embeddings,) = layer.get_weights()
            embeddings[list(word_vectors)] = np.stack(list(word_vectors.values()))
            layer.set_weights([embeddings])
