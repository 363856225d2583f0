"""The model of a run folder, as Keras rebuilds it."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.run_folder.run import Run


class KerasForm(Form):
    """A run folder, opened.

    Args:
        run: The run folder, as read.
        model: Its model, where that is loaded already.

    Raises:
        InputError: The weights are missing or belong to another graph.
    """

    tolerance = 1e-4  # float32 sums in another order
    keeps_results = True

    def __init__(self, run: Run, model: keras.Model | None = None) -> None:
        self.run = run
        keras_model = run.load_model() if model is None else model
        head = keras_model.get_layer("head")
        if run.config.model.has_frames:
            encoder, projection = keras_model.get_layer("frame_encoder"), keras_model.get_layer("projection")
            self._encode = tf.function(lambda frames: projection(encoder(frames, training=False), training=False))
        self._classify = tf.function(lambda inputs: head(inputs, training=False))

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """See `Form`."""

        def encode(frames: np.ndarray) -> np.ndarray:
            return self._encode(tf.convert_to_tensor(frames)).numpy()

        return self._encode_after(encode, frames_BxTxHxWxC, previous_BxHxWxC)

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`."""
        inputs = {"token_ids": tf.convert_to_tensor(encode_texts(words, self.run))}
        if features is not None:
            inputs["features"] = tf.convert_to_tensor(features)
        return {head: scores.numpy() for head, scores in self._classify(inputs).items()}
