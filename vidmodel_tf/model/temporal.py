"""The branch over time: the features of a stream's frames, in order, to one vector a clip.

LSTM, GRU or transformer, by `model.temporal`. Whichever reads them, a slot that the mask rules out leaves no trace: the
answer is that of a clip without it. A clip whose slots are all ruled out gives zeros, as the LSTM's initial state does.

Legend of shapes: B batch, T frames, D features, U `lstm_units`.
"""

from __future__ import annotations

import keras
from keras import layers

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.layers import AttentionPooling, MeanPooling, SlotMask
from vidmodel_tf.model.transformer import LastSlot, encode_by_transformer

_RECURRENT = {"lstm": layers.LSTM, "gru": layers.GRU}


def temporal_branch(features, name: str, has_gaps: bool, config: ModelConfig):
    """Builds the branch of one stream.

    Args:
        features: Of the stream, [B, T, D].
        name: With which the names of its layers begin.
        has_gaps: Slots whose features are all zero are ruled out (those without motion).
        config: The settings of the model.

    Returns:
        [B, U]; twice as wide if bidirectional, and with `pooling="both"` the mean features [B, D] beside it.
    """
    slots = SlotMask(name=f"{name}.slots")(features) if has_gaps else None
    x = layers.Dropout(config.dropout, name=f"{name}.dropout")(features)
    means = [MeanPooling(name=f"{name}.mean")(x, mask=slots)] if config.pooling == "both" else []
    if config.temporal == "transformer":
        x = encode_by_transformer(x, slots, name, config)
        if config.pooling != "attention":
            x = LastSlot(name=f"{name}.last")(x, mask=slots)
    else:
        x = _read_in_turn(x, slots, name, config)
    if config.pooling == "attention":
        x = AttentionPooling(name=f"{name}.pooling")(x, mask=slots)
    return layers.Concatenate(name=f"{name}.concatenate")([x, *means]) if means else x


def _is_known_to_cudnn(config: ModelConfig) -> bool:
    """JAX has no way to hand smaller floats to it, and Keras finds out too late."""
    return config.precision == "float32" or keras.backend.backend() != "jax"


def _read_in_turn(x, slots, name: str, config: ModelConfig):
    """The outputs of stacked LSTMs or GRUs: the last one's last, or with attention over time all of them."""
    for number in range(config.num_layers):
        layer = _RECURRENT[config.temporal](
            config.lstm_units,
            return_sequences=config.pooling == "attention" or number < config.num_layers - 1,
            # cuDNN accepts only masks that are padded on the right, and the first slot of motion is always masked.
            use_cudnn="auto" if slots is None and _is_known_to_cudnn(config) else False,
            name=f"{name}.{config.temporal}_{number}",
        )
        if config.bidirectional:
            layer = layers.Bidirectional(layer, name=f"{name}.bidirectional_{number}")
        x = layer(x, mask=slots)
    return x
