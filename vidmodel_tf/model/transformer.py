"""A transformer over the frames of a clip: every frame looks at all others that count.

Vaswani et al., "Attention Is All You Need" (2017), the encoder, with positions that are learned and with normalisation
before each part, not behind it: Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020).

Legend of shapes: B batch, T frames, D features, U `lstm_units`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.layers import KeepSlots

_MLP_RATIO = 4  # of the hidden layer's width to U, as in the paper

_register = keras.saving.register_keras_serializable(package="vidmodel_tf")


def encode_by_transformer(features, slots, name: str, config: ModelConfig):
    """Builds the transformer of one stream.

    Args:
        features: [B, T, D].
        slots: Boolean [B, T], the slots that count; None: all of them.
        name: With which the names of its layers begin.
        config: The settings of the model.

    Returns:
        The output of every slot, [B, T, U]: zeros in those that do not count.
    """
    x = layers.Dense(config.lstm_units, name=f"{name}.transformer_input")(features)
    x = LearnedPositions(name=f"{name}.positions")(x, mask=slots)
    for number in range(config.num_layers):
        x = _add_attention(x, slots, f"{name}.transformer_{number}.attention", config)
        x = _add_mlp(x, f"{name}.transformer_{number}.mlp", config)
    x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}.transformer_norm")(x)
    return x if slots is None else KeepSlots(name=f"{name}.transformer_kept")(x, slots)


def _add_attention(x, slots, name: str, config: ModelConfig):
    normalized = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm")(x)
    attention = layers.MultiHeadAttention(config.num_heads, config.lstm_units // config.num_heads, name=name)
    found = attention(normalized, normalized, key_mask=slots)
    return layers.Add(name=f"{name}_sum")([x, layers.Dropout(config.dropout, name=f"{name}_dropout")(found)])


def _add_mlp(x, name: str, config: ModelConfig):
    found = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm")(x)
    found = layers.Dense(_MLP_RATIO * config.lstm_units, activation="relu", name=f"{name}_hidden")(found)
    found = layers.Dense(config.lstm_units, name=name)(found)
    return layers.Add(name=f"{name}_sum")([x, layers.Dropout(config.dropout, name=f"{name}_dropout")(found)])


@_register
class LearnedPositions(keras.Layer):
    """[B, T, U] plus a learned vector for each place; a slot's place is counted among the slots that count.

    So slots that the mask, boolean [B, T], rules out push no other to another place.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        initializer = keras.initializers.RandomNormal(stddev=0.02)
        self.positions = self.add_weight(shape=input_shape[1:], initializer=initializer, name="positions")

    def call(self, inputs, mask=None):
        if mask is None:
            return inputs + self.positions
        places = ops.maximum(ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1, 0)
        return inputs + ops.take(self.positions, places, axis=0)

    def compute_mask(self, inputs, previous_mask=None):
        return None  # layers that need the mask are given it

    def compute_output_shape(self, input_shape):
        return input_shape


@_register
class LastSlot(keras.Layer):
    """[B, U] of [B, T, U]: the last slot where the mask, boolean [B, T], is true; zeros where it is true for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return inputs[:, -1]
        counts = ops.cast(mask, "int32")
        # Of those that count, the last is the one behind which none counts.
        num_from_here = ops.flip(ops.cumsum(ops.flip(counts, axis=1), axis=1), axis=1)
        is_last = ops.logical_and(mask, ops.equal(num_from_here, 1))
        return ops.sum(ops.where(ops.expand_dims(is_last, -1), inputs, ops.zeros_like(inputs)), axis=1)

    def compute_mask(self, inputs, previous_mask=None):
        return None  # there is no time left to mask

    def compute_output_shape(self, input_shape):
        return input_shape[0], input_shape[2]
