"""Joined strings -> the token ids that a run's model takes, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.run_folder.run import Run


def encode_texts(texts: Sequence[str], run: Run) -> np.ndarray:
    """Joined strings (`text.fields.join_fields`; "": no words) -> int32 [B, L]."""
    config = run.config.model
    return np.stack([run.vocabulary.encode(text, config.num_tokens, config.field_budgets) for text in texts])
