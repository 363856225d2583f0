"""How large a CNN is and what it costs to compute, counted from its layers alone."""

from __future__ import annotations

import math

import keras
from keras import layers

from vidmodel_tf.compression.layer_calls import layer_calls
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.flat_graph import flat_graph

_COUNTED = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
_FREE = (layers.BatchNormalization, layers.Normalization)  # a multiplication and an addition for each number


def num_channels(cnn: keras.Model) -> int:
    """How many channels its convolutions give, all of them together; depthwise ones make none."""
    return sum(layer.filters for layer in cnn._flatten_layers() if isinstance(layer, layers.Conv2D))


def multiply_adds(cnn: keras.Model) -> int | None:
    """The multiplications, each with its addition, of the convolutions and dense layers for one image.

    Args:
        cnn: A functional model of images of one size.

    Returns:
        Their number; None where other layers have weights too (an attention, say), and where models inside the model
        have layers of the same name.
    """
    try:
        flat = flat_graph(cnn).model
    except InputError:
        return None
    total = 0
    for call in layer_calls(flat)[0]:
        if isinstance(call.layer, _COUNTED):
            # Each weight of the kernel is used once at each position of the output.
            total += math.prod(call.output.shape[1:-1]) * math.prod(call.layer.kernel.shape)
        elif call.layer.weights and not isinstance(call.layer, _FREE):
            return None
    return total
