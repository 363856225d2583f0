"""The model of a run folder, as Keras rebuilds it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.run_folder.run import Run

Scores = dict[str, np.ndarray]  # {head: float32 [B, K]}


class RunModel:
    """A run folder, opened.

    Args:
        run: The run folder, as read.
    """

    tolerance = 1e-4  # of float32 sums in another order

    def __init__(self, run: Run) -> None:
        self.run = run
        model = run.load_model()
        head = model.get_layer("head")
        self._encode = None
        if run.config.model.has_frames:
            encoder, projection = model.get_layer("frame_encoder"), model.get_layer("projection")
            self._encode = tf.function(lambda frames: projection(encoder(frames, training=False), training=False))
        self._classify = tf.function(lambda parts: head(parts, training=False))

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """See `vidmodel_tf.forms.open_model.ModelForm`."""
        seen = {"features": self._encode(tf.convert_to_tensor(frames_BxTxHxWxC))} if self._encode else {}
        answers = (
            self._classify({**seen, "token_ids": tf.convert_to_tensor(encode_texts(words, self.run))})
            for words in texts
        )
        return [{head: scores.numpy() for head, scores in answer.items()} for answer in answers]
