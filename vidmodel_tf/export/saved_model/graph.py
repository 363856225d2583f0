"""The model of a run as two TensorFlow functions with its weights as constants, ready to be exported.

frames ──encode──> features ──┐
token_ids ────────────────classify──> scores by head
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from vidmodel_tf.backend.fused import fused_inference
from vidmodel_tf.export.parts import InferenceParts


class InferenceGraph:
    """The functions from frames and token ids to scores, without variables.

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
        self._classify = _freeze(parts.head, inputs)

    def encode(self, frames: tf.Tensor) -> tf.Tensor:
        """uint8 [B, T', H, W, 3] -> features float32 [B, T', D]."""
        return self._encode(frames)

    def classify(self, features: tf.Tensor | None, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features [B, T, D] (None for a model of words alone) and int32 [B, L] -> {head: float32 [B, K]}."""
        inputs = {"token_ids": token_ids} if features is None else {"features": features, "token_ids": token_ids}
        return self._classify(inputs)


def _freeze(
    model: keras.Model, inputs: tf.TensorSpec | dict[str, tf.TensorSpec]
) -> tf.types.experimental.ConcreteFunction:
    """The model in inference as one function, traced once: all signatures that call it share its constants."""
    # As arrays: constants that are made while the function is traced become part of its graph.
    trainable, others = (
        [_inference_value(variable) for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )

    def infer(inputs):
        constants = ([tf.constant(value) for value in values] for values in (trainable, others))
        outputs, _ = model.stateless_call(*constants, inputs, training=False)
        return outputs

    with fused_inference(model):
        return tf.function(infer, autograph=False).get_concrete_function(inputs)


def _inference_value(variable: keras.Variable) -> np.ndarray:
    # Dropout draws nothing in inference; its seeds, which are new in each process, would make each export another one.
    value = variable.numpy()
    return np.zeros_like(value) if variable.name == "seed_generator_state" else value
