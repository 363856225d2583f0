"""The model of a run folder, as Keras rebuilds it."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from vidmodel_tf.backend.compiled import compiled
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
        if run.config.model.has_frames:
            with dtype_policy(run.config.model.precision):
                encoder = build_frame_encoder(run.config.model, backbone_of(keras_model), previous_given=True)
            features = keras_model.get_layer("projection")(encoder.output)
            self._encode = compiled(keras.Model(encoder.input, features, name="frame_features"))
        self._classify = compiled(keras_model.get_layer("head"))

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """See `Form`."""
        frames = frames_BxTxHxWxC
        before = frames[:, 0] if previous_BxHxWxC is None else previous_BxHxWxC
        previous = np.concatenate([before[:, np.newaxis], frames[:, :-1]], axis=1)
        return self._encode({"frames": frames, "previous_frames": previous})

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`."""
        inputs = {"token_ids": encode_texts(words, self.run)}
        return self._classify(inputs if features is None else {**inputs, "features": features})
