"""A CNN with fewer channels, each block of which gives what it gave before as nearly as it can.

As He, Zhang and Sun, "Channel pruning for accelerating very deep neural networks" (2017): convolution by convolution,
in the order in which the network computes. Each is fitted to its outputs in the whole network, from what it reads in
the pruned one, so that it makes up for what was lost before it too.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from vidmodel_tf.backend.compiled import compiled
from vidmodel_tf.compression.channel_chains import Chain, find_chains
from vidmodel_tf.compression.choose_channels import Moments, choose_channels
from vidmodel_tf.compression.sampled_inputs import sampled_inputs
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.fold_batch_norm import foldable
from vidmodel_tf.progress import track

_BATCH_SIZE = 16
_NUM_POSITIONS = 48  # of each image
_MULTIPLE = 8  # of channels: processors compute so many at once


def prune_channels(cnn: keras.Model, images: np.ndarray, share: float) -> keras.Model:
    """Removes a share of the channels of every chain of a CNN.

    Args:
        cnn: A functional model, without models inside it; it is left as it is.
        images: Float32 [n, H, W, 3], such as it will be given.
        share: Of each chain's channels, 0 to 1: see `num_kept`.

    Returns:
        A functional model of the same inputs and outputs, with layers of the same names. The convolutions that read
        fewer channels have a bias.

    Raises:
        InputError: It has no chain.
    """
    chains, norms = find_chains(cnn), foldable(cnn)
    if not chains:
        raise InputError(
            "prune.share: expected a backbone in which a convolution alone reads the channels of another one. "
            f"Received: {cnn.name}, which has none such"
        )
    if all(num_kept(chain.num_channels, share) == chain.num_channels for chain in chains):
        raise InputError(
            f"prune.share: expected so much that some channel of {cnn.name} goes (of 32 or more, a multiple of 8 "
            f"stays). Received: {share:g}"
        )
    with_bias = {chain.consumer: {"use_bias": True} for chain in chains}
    whole, fitted = _copy(cnn, with_bias), _copy(cnn, with_bias)
    targets = _outputs(whole, [chain.consumer for chain in chains], images)
    kept, read, maps = {}, fitted.input, images
    for chain in track(chains, "pruning", len(chains)):
        read, maps = _advance(fitted, read, maps, fitted.get_layer(chain.producer).input)
        samples = (each[chain.consumer] for each in _samples(fitted, read, maps, [chain.consumer]))
        kept[chain] = _fit(
            fitted.get_layer(chain.consumer),
            zip(samples, targets.pop(chain.consumer), strict=True),
            num_kept(chain.num_channels, share),
            _scale_behind(norms.get(chain.consumer)) ** 2,
        )
    return _without_channels(fitted, kept)


def num_kept(num_channels: int, share: float) -> int:
    """How many channels of a chain stay: at least one, and of 32 or more a multiple of 8."""
    multiple = _MULTIPLE if num_channels >= 4 * _MULTIPLE else 1
    return min(max(round(num_channels * (1 - share) / multiple), 1) * multiple, num_channels)


def _outputs(whole: keras.Model, names: Sequence[str], images: np.ndarray) -> dict[str, list[np.ndarray]]:
    """What convolutions give, before their activation, at the sampled positions: [n, o] for each batch of images."""
    outputs = {name: [] for name in names}
    for samples in _samples(whole, whole.input, images, names):
        for name, inputs in samples.items():
            kernel, bias = _weights_by_channel(whole.get_layer(name))
            outputs[name].append(_flat(inputs) @ kernel.reshape(-1, len(bias)) + bias)
    return outputs


def _advance(model: keras.Model, read: Any, maps: np.ndarray, wanted: Any) -> tuple[Any, np.ndarray]:
    """Computes a later tensor of a graph, where all that follows depends on it alone; else the two stay as they are."""
    if wanted is read:
        return read, maps
    try:
        keras.Model(wanted, model.output)
    except ValueError:  # "disconnected": some connection leads past it
        return read, maps
    below = keras.Model(read, wanted)
    infer = compiled(below)
    advanced = np.empty((len(maps), *below.output_shape[1:]), np.float32)  # large: not twice in memory
    for source, place in zip(_batches(maps), _batches(advanced), strict=True):
        place[:] = infer(source)
    return wanted, advanced


def _fit(
    convolution: Any, samples: Iterable[tuple[np.ndarray, np.ndarray]], num_channels: int, importance: np.ndarray
) -> np.ndarray:
    """Chooses the channels that a convolution goes on reading, and fits it to what it is to give, batch by batch."""
    moments = functools.reduce(operator.add, (Moments.of(_flat(inputs), outputs) for inputs, outputs in samples))
    kernel, bias = _weights_by_channel(convolution)
    kept, kernel_of_kept, bias = choose_channels(moments, kernel, bias, num_channels, importance)
    kernel = np.zeros_like(kernel)
    kernel[kept] = kernel_of_kept
    convolution.set_weights([kernel.swapaxes(0, 1).reshape(convolution.kernel.shape), bias])
    return kept


def _samples(model: keras.Model, read: Any, maps: np.ndarray, names: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
    """What convolutions read at sampled positions, [n, c, k] for each batch; the same positions in every call."""
    convolutions = [model.get_layer(name) for name in names]
    reading = compiled(keras.Model(read, [convolution.input for convolution in convolutions]))
    for number, batch in enumerate(_batches(maps)):
        found = reading(batch)
        yield {
            convolution.name: sampled_inputs(convolution, each, _NUM_POSITIONS, np.random.default_rng(number))
            for convolution, each in zip(convolutions, found if isinstance(found, list) else [found], strict=True)
        }


def _batches(maps: np.ndarray) -> Iterator[np.ndarray]:
    return (maps[start : start + _BATCH_SIZE] for start in range(0, len(maps), _BATCH_SIZE))


def _flat(inputs: np.ndarray) -> np.ndarray:
    return inputs.reshape(len(inputs), -1)


def _weights_by_channel(convolution: Any) -> tuple[np.ndarray, np.ndarray]:
    """The kernel [c, k, o] and the bias [o]."""
    kernel, bias = convolution.get_weights()
    return kernel.reshape(-1, *kernel.shape[2:]).swapaxes(0, 1), bias


def _scale_behind(norm: layers.BatchNormalization | None) -> np.ndarray:
    """What a BatchNorm multiplies each channel by."""
    if norm is None:
        return np.ones(1)
    values = {weight.name: weight.numpy() for weight in norm.weights}
    return values.get("gamma", 1.0) / np.sqrt(values["moving_variance"] + norm.epsilon)


def _copy(cnn: keras.Model, changes: Mapping[str, Mapping[str, Any]]) -> keras.Model:
    """The same model with other settings of some layers; a bias that is new is zero."""

    def copy(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), **changes.get(layer.name, {})})

    copied = keras.models.clone_model(cnn, clone_function=copy)
    for layer in cnn.layers:
        if weights := layer.get_weights():
            own = copied.get_layer(layer.name)
            own.set_weights([*weights, *own.get_weights()[len(weights) :]])
    return copied


def _without_channels(fitted: keras.Model, kept: Mapping[Chain, np.ndarray]) -> keras.Model:
    """The same model without the channels of its chains that do not stay."""
    read = {chain.consumer: channels for chain, channels in kept.items()}
    given = {name: channels for chain, channels in kept.items() for name in (chain.producer, *chain.between)}
    sizes = {chain.producer: {"filters": len(channels)} for chain, channels in kept.items()}

    def copy(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), **sizes.get(layer.name, {})})

    pruned = keras.models.clone_model(fitted, clone_function=copy)
    for layer in fitted.layers:
        if not (weights := layer.get_weights()):
            continue
        if layer.name in read:
            weights[0] = weights[0][:, :, read[layer.name]]
        if layer.name in given:
            # The output channels are the last axis of all weights but a depthwise kernel [h, w, c, 1].
            axes = [2 if isinstance(layer, layers.DepthwiseConv2D) and value.ndim == 4 else -1 for value in weights]
            weights = [value.take(given[layer.name], axis) for value, axis in zip(weights, axes, strict=True)]
        pruned.get_layer(layer.name).set_weights(weights)
    return pruned
