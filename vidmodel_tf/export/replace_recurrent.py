"""LSTMs and GRUs replaced by ones that compute the same in another way, such as one that a converter understands."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from vidmodel_tf.model.layers import SlotMask
from vidmodel_tf.recurrent.steps import Recurrent

MakeRecurrent = Callable[[Recurrent, bool], Recurrent]


def replace_recurrent(head: keras.Model, make: MakeRecurrent) -> keras.Model:
    """Copies a head with other LSTMs and GRUs in it, those inside a Bidirectional too.

    Args:
        head: A functional model; it is left as it is.
        make: Makes a layer from the one that it replaces, and from whether that one skips slots that carry nothing
            (its mask comes from a `SlotMask`, as in the motion stream). The new one must have the same weights.

    Returns:
        A functional model of the same inputs, outputs and weights. The weights are copies: changing one of the two
        models leaves the other as it is.
    """
    slot_masks = {id(layer.output) for layer in head.layers if isinstance(layer, SlotMask)}

    def copy(layer: keras.Layer) -> keras.Layer:
        skips_slots = isinstance(layer.input, list) and any(id(tensor) in slot_masks for tensor in layer.input)
        if isinstance(layer, Recurrent):
            return make(layer, skips_slots)
        if isinstance(layer, layers.Bidirectional):
            forward, backward = (make(half, skips_slots) for half in (layer.forward_layer, layer.backward_layer))
            return layers.Bidirectional(
                forward, backward_layer=backward, merge_mode=layer.merge_mode, dtype=layer.dtype_policy, name=layer.name
            )
        return type(layer).from_config(layer.get_config())

    copied = keras.models.clone_model(head, clone_function=copy)
    for layer in head.layers:
        if layer.weights:
            copied.get_layer(layer.name).set_weights(layer.get_weights())
    return copied
