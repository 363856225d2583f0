"""The model of a run as two TensorFlow functions with its weights as constants, ready to be exported.

frames ──encode──> features ──┐
token_ids ────────────────classify──> scores by head
"""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from vidmodel_tf.export.parts import InferenceParts


class InferenceGraph:
    """What follows from frames and token ids, without variables.

    Args:
        parts: The model.

    Attributes:
        num_features: D, of `encode`; 0 for a model of words alone.
    """

    def __init__(self, parts: InferenceParts) -> None:
        config, self.num_features = parts.config, parts.num_features
        inputs = {"token_ids": tf.TensorSpec((None, config.num_tokens), tf.int32, "token_ids")}
        if config.has_frames:
            frames = tf.TensorSpec((None, None, config.height, config.width, 3), tf.uint8, "frames")
            self._encode = _freeze(parts.frame_features(), frames)
            features_shape = (None, config.num_frames, parts.num_features)
            inputs["features"] = tf.TensorSpec(features_shape, tf.float32, "features")
        self._heads = sorted(parts.head.output)
        self._classify = _freeze(parts.head, inputs)

    def encode(self, frames: tf.Tensor) -> tf.Tensor:
        """uint8 [B, T', H, W, 3] -> features float32 [B, T', D]."""
        (features,) = self._encode(frames)
        return features

    def classify(self, features: tf.Tensor | None, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features [B, T, D] (None for a model of words alone) and int32 [B, L] -> {head: float32 [B, K]}."""
        inputs = [token_ids] if features is None else [features, token_ids]
        return dict(zip(self._heads, self._classify(*inputs), strict=True))


def _freeze(model: keras.Model, inputs: tf.TensorSpec | dict[str, tf.TensorSpec]):
    """A function of the model's inputs, in the order of their names, that gives a list of outputs, in theirs."""

    def infer(inputs):
        return model(inputs, training=False)

    concrete = tf.function(infer, autograph=False).get_concrete_function(inputs)
    # Loops stay loops: TensorFlow's older control flow, which is the default here, runs slower and converts worse.
    return convert_variables_to_constants_v2(concrete, lower_control_flow=False)
