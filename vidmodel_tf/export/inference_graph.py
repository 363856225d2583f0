"""The model of a run as two TensorFlow functions with its weights as constants, ready to be exported.

frames ──encode──> features ──┐
token_ids ────────────────classify──> scores by head
"""

from __future__ import annotations

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from vidmodel_tf.export.inference_parts import InferenceParts


class InferenceGraph:
    """What follows from frames and token ids, without variables.

    Args:
        parts: The model.
    """

    def __init__(self, parts: InferenceParts) -> None:
        config, self.num_features = parts.config, parts.num_features
        inputs = [tf.TensorSpec((None, config.num_tokens), tf.int32, "token_ids")]
        if config.has_frames:
            frames = tf.TensorSpec((None, None, config.height, config.width, 3), tf.uint8, "frames")
            self._encode = _freeze(parts.frame_features(), frames)
            inputs.append(tf.TensorSpec((None, config.num_frames, parts.num_features), tf.float32, "features"))
        names = [spec.name for spec in inputs]
        self._heads = sorted(parts.head.output)
        self._classify = _freeze(lambda *values, **kw: parts.head(dict(zip(names, values, strict=True)), **kw), *inputs)

    def encode(self, frames: tf.Tensor) -> tf.Tensor:
        """uint8 [B, T', H, W, 3] -> features float32 [B, T', D]."""
        (features,) = self._encode(frames)
        return features

    def classify(self, features: tf.Tensor | None, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features [B, T, D] (None for a model of words alone) and int32 [B, L] -> {head: float32 [B, K]}."""
        values = [token_ids] if features is None else [token_ids, features]
        return dict(zip(self._heads, self._classify(*values), strict=True))


def _freeze(model, *inputs: tf.TensorSpec):
    def infer(*values):
        return model(*values, training=False)

    concrete = tf.function(infer, autograph=False).get_concrete_function(*inputs)
    # Loops stay loops: TensorFlow's older control flow, which is the default here, runs slower and converts worse.
    return convert_variables_to_constants_v2(concrete, lower_control_flow=False)
