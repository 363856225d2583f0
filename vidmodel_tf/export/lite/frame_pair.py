"""The inputs of the streaming pair's first half: a frame and the one before it, as apps have them."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from vidmodel_tf.config import ModelConfig


def frame_pair_specs(config: ModelConfig) -> list[tf.TensorSpec]:
    """`frame` and `previous_frame`, uint8 [1, H, W, 3] each."""
    shape = (1, config.height, config.width, 3)
    return [tf.TensorSpec(shape, tf.uint8, name) for name in ("frame", "previous_frame")]


def frame_pair_function(encoder: keras.Model, output: str) -> Callable[..., dict[str, tf.Tensor]]:
    """Makes a function of `frame` and `previous_frame` that gives `{output: [1, D]}`.

    Args:
        encoder: From `build_frame_encoder` or `InferenceParts.frame_features`, with `previous_given`.
        output: The name of the output.
    """

    def encode(frame, previous_frame):
        inputs = {"frames": tf.expand_dims(frame, 1), "previous_frames": tf.expand_dims(previous_frame, 1)}
        return {output: tf.squeeze(encoder(inputs, training=False), axis=1)}

    return encode
