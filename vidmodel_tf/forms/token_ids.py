"""Joined strings -> the token ids that a run's model takes, without TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.text.vocabulary import Vocabulary

_TEXTS_KEPT = 4096  # `evaluate` asks about each text several times; with 64 token ids each these take a megabyte


def encode_texts(texts: Sequence[str], run: Run) -> np.ndarray:
    """Joined strings (`text.fields.join_fields`; "": no words) -> int32 [B, L]."""
    config = run.config.model
    return np.stack([_encode(run.vocabulary, text, config.num_tokens, config.field_budgets) for text in texts])


@functools.lru_cache(_TEXTS_KEPT)
def _encode(vocabulary: Vocabulary, text: str, num_tokens: int, budgets: tuple[int, ...]) -> np.ndarray:
    return vocabulary.encode(text, num_tokens, budgets)
