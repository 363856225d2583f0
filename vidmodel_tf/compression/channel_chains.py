"""Which channels of a CNN can be removed: those that one convolution makes and one other convolution alone reads."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from vidmodel_tf.compression.layer_calls import LayerCall, layer_calls

# Layers that compute each channel from itself alone, if their activation does.
_BY_CHANNEL = (
    layers.Activation, layers.AveragePooling2D, layers.BatchNormalization, layers.Cropping2D, layers.DepthwiseConv2D,
    layers.Dropout, layers.ELU, layers.LeakyReLU, layers.MaxPooling2D, layers.ReLU, layers.SpatialDropout2D,
    layers.UpSampling2D, layers.ZeroPadding2D,
)  # fmt: skip
_ACTIVATIONS = tuple(
    getattr(keras.activations, name)
    for name in (
        "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "linear", "mish", "relu",
        "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh",
    )
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Chain:
    """Two convolutions that follow each other, with nothing between them that mixes channels.

    Attributes:
        producer: The name of the one whose output channels can be removed.
        between: Of the layers that pass them on, in order.
        consumer: Of the only convolution that reads them.
        num_channels: How many there are.
    """

    producer: str
    between: tuple[str, ...]
    consumer: str
    num_channels: int


def find_chains(cnn: keras.Model) -> list[Chain]:
    """All chains of a CNN, in the order in which it computes them; what ends one may begin the next.

    Channels that meet others (an addition, a concatenation, a gate) are in none, and neither are grouped convolutions
    and layers that are called twice. Nor are channels that only linear layers pass on: whoever made the network put a
    bottleneck there.

    Args:
        cnn: A functional model without models inside.
    """
    calls, outputs = layer_calls(cnn)
    num_calls = Counter(call.layer.name for call in calls)
    readers = defaultdict(list)
    for call in calls:
        for tensor in call.inputs:
            readers[id(tensor)].append(call)
    for tensor in outputs:
        readers[id(tensor)].append(None)  # who reads the output is not known
    chains = []
    for call in calls:
        if _is_convolution(call.layer) and _keeps_channels_apart(call.layer) and num_calls[call.layer.name] == 1:
            *between, end = _follow(call, readers)
            if end is not None and _is_convolution(end.layer):
                names = [each.layer.name for each in [*between, end]]
                is_linear = not any(_is_nonlinear(each.layer) for each in [call, *between])
                if not is_linear and all(num_calls[name] == 1 for name in names):
                    chains.append(Chain(call.layer.name, tuple(names[:-1]), names[-1], call.layer.filters))
    return chains


def _follow(call: LayerCall, readers: Mapping[int, Sequence[LayerCall | None]]) -> list[LayerCall | None]:
    """The calls behind one, as long as each is alone in reading the one before; the last mixes channels, or is None."""
    followed = []
    while True:
        found = readers[id(call.output)]
        followed.append(found[0] if len(found) == 1 else None)
        if followed[-1] is None or type(followed[-1].layer) not in _BY_CHANNEL:
            return followed
        call = followed[-1]
        if not _keeps_channels_apart(call.layer):
            return [*followed[:-1], None]


def _is_convolution(layer: Any) -> bool:
    return type(layer) is layers.Conv2D and layer.groups == 1 and layer.data_format == "channels_last"


def _is_nonlinear(layer: Any) -> bool:
    if isinstance(layer, (layers.ReLU, layers.LeakyReLU, layers.ELU, layers.MaxPooling2D)):
        return True
    return getattr(layer, "activation", keras.activations.linear) is not keras.activations.linear


def _keeps_channels_apart(layer: Any) -> bool:
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        return False
    if isinstance(layer, layers.BatchNormalization) and layer.axis not in (-1, 3):
        return False
    if getattr(layer, "depth_multiplier", 1) != 1:
        return False
    return any(getattr(layer, "activation", keras.activations.linear) is each for each in _ACTIVATIONS)
