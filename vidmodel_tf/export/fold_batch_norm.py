"""BatchNorm folded into the convolutions before it: the same results in inference, with less to compute."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np
from keras import layers

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv2D)


def fold_batch_norm(cnn: keras.Model) -> keras.Model:
    """Copies a CNN and folds each BatchNorm that directly follows a linear convolution into its kernel and bias.

    A BatchNorm in another place (after a concatenation, say) stays. Jacob et al., "Quantization and training of
    neural networks for efficient integer-arithmetic-only inference" (2018), section 3.2.

    Args:
        cnn: A functional model; it is left as it is.

    Returns:
        A functional model of the same inputs and outputs, equal up to the rounding of float32.
    """
    pairs = foldable(cnn)
    norms = {norm.name for norm in pairs.values()}

    def copy(layer: keras.Layer) -> keras.Layer:
        if layer.name in pairs:
            return type(layer).from_config({**layer.get_config(), "use_bias": True})
        return type(layer).from_config(layer.get_config())

    def call(layer: keras.Layer, *args, **kwargs):
        return args[0] if layer.name in norms else layer(*args, **kwargs)

    folded = keras.models.clone_model(cnn, clone_function=copy, call_function=call)
    for layer in cnn.layers:
        if layer.name in pairs:
            folded.get_layer(layer.name).set_weights(_fold(layer, pairs[layer.name]))
        elif layer.weights and layer.name not in norms:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


def foldable(cnn: keras.Model) -> dict[str, layers.BatchNormalization]:
    """{name of a convolution: the BatchNorm that alone reads its output}."""
    called_once = {layer["name"] for layer in cnn.get_config()["layers"] if len(layer["inbound_nodes"]) == 1}
    producers = {id(layer.output): layer for layer in cnn.layers if not isinstance(layer.output, list)}
    num_readers = Counter(id(tensor) for layer in cnn.layers for tensor in _as_list(layer.input))
    num_readers.update(id(tensor) for tensor in _as_list(cnn.output))
    pairs = {}
    for norm in cnn.layers:
        if isinstance(norm, layers.BatchNormalization) and norm.axis in (-1, len(norm.input.shape) - 1):
            before = producers.get(id(norm.input))
            if before is None or not isinstance(before, _CONVOLUTIONS):
                continue
            if not {before.name, norm.name} <= called_once:  # what is read elsewhere must not be folded
                continue
            if before.activation is keras.activations.linear and num_readers[id(norm.input)] == 1:
                pairs[before.name] = norm
    return pairs


def _as_list(value) -> list:
    return value if isinstance(value, list) else [value]


def _fold(convolution: keras.Layer, norm: layers.BatchNormalization) -> list[np.ndarray]:
    kernel, *bias = (weight.astype(np.float64) for weight in convolution.get_weights())
    values = {weight.name: weight.numpy().astype(np.float64) for weight in norm.weights}
    scale = values.get("gamma", 1.0) / np.sqrt(values["moving_variance"] + norm.epsilon)
    shift = ((bias[0] if bias else 0.0) - values["moving_mean"]) * scale + values.get("beta", 0.0)
    # A depthwise kernel [h, w, C, multiplier] has its output channels on two axes.
    kernel *= scale.reshape(kernel.shape[-2:]) if isinstance(convolution, layers.DepthwiseConv2D) else scale
    return [kernel, shift]
