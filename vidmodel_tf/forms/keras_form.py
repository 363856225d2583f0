"""The model of a run folder, as Keras rebuilds it."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.precision import dtype_policy
from vidmodel_tf.model.trainable import backbone_of
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
        self.run, self.path = run, run.path
        keras_model = run.load_model() if model is None else model
        head = keras_model.get_layer("head")
        if run.config.model.has_frames:
            with dtype_policy(run.config.model.precision):
                encoder = build_frame_encoder(run.config.model, backbone_of(keras_model), previous_given=True)
            projection = keras_model.get_layer("projection")
            # One trace for any number of clips and frames.
            spec = tf.TensorSpec((None, None, run.config.model.height, run.config.model.width, 3), tf.uint8)
            self._encode = tf.function(
                lambda inputs: projection(encoder(inputs, training=False), training=False),
                input_signature=[{"frames": spec, "previous_frames": spec}],
            )
        self._classify = tf.function(lambda inputs: head(inputs, training=False))

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """See `Form`."""
        frames = frames_BxTxHxWxC
        before = frames[:, 0] if previous_BxHxWxC is None else previous_BxHxWxC
        previous = np.concatenate([before[:, np.newaxis], frames[:, :-1]], axis=1)
        inputs = {"frames": tf.convert_to_tensor(frames), "previous_frames": tf.convert_to_tensor(previous)}
        return self._encode(inputs).numpy()

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`."""
        inputs = {"token_ids": tf.convert_to_tensor(encode_texts(words, self.run))}
        if features is not None:
            inputs["features"] = tf.convert_to_tensor(features)
        return {head: scores.numpy() for head, scores in self._classify(inputs).items()}
