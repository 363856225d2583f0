"""Which layers of a model train, and the statistics that standardise its backbone outputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.model.flat_graph import flat_graph
from vidmodel_tf.model.layers import Standardization

_SMALLEST_RELATIVE_DEVIATION = 0.01


def backbone_of(model: keras.Model) -> keras.Model:
    """The CNN inside a model of `build_model`."""
    return model.get_layer("frame_encoder").get_layer("backbone").layer


def set_trainable(backbone: keras.Model, part: keras.Model | None) -> None:
    """Makes only a part of a backbone trainable; call it before `compile`.

    Args:
        backbone: From `backbone_of`.
        part: The backbone itself, its upper part (`cut.split_backbone`), or None: nothing of it trains.
    """
    _set_all(backbone, part is not None)
    if part is None or part is backbone:
        return
    trained = {id(layer) for layer in part.layers}
    for layer in flat_graph(backbone).model.layers:
        _set_all(layer, id(layer) in trained)


def _set_all(layer: Any, trainable: bool) -> None:
    # One by one: setting `trainable = True` on a layer that has it already does not reach the layers inside.
    for each in layer._flatten_layers():
        each.trainable = trainable


def adapt_standardisation(model: keras.Model, encoding_batches: Iterable[np.ndarray]) -> None:
    """Sets the mean and variance of each stream's standardisation from the training clips.

    Slots of the motion stream without motion (all zeros) are left out. Means and variances of the batches are
    combined in float64 as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances" (1979), so only one batch is in memory. The standard deviation of a value that hardly varied is
    raised to 1 % of the stream's usual one: else a clip in which it does vary would drown all other values.

    Args:
        model: A model of `build_model`.
        encoding_batches: Backbone outputs of all training clips, [b, T, S * F] each.

    Raises:
        InputError: No slot carries anything, or a value is not finite.
    """
    projection = model.get_layer("projection")
    layers = [layer for layer in projection.layers if isinstance(layer, Standardization)]
    moments = [_Moments(layer.mean.shape[0]) for layer in layers]
    for batch in encoding_batches:
        for layer, part, moment in zip(layers, np.split(np.asarray(batch), len(layers), axis=-1), moments, strict=True):
            slots = part.reshape(-1, part.shape[-1])
            moment.add(slots[np.any(slots != 0, axis=-1)] if layer.name.startswith("motion") else slots)
    for layer, moment in zip(layers, moments, strict=True):
        moment.assign_to(layer)


class _Moments:
    """Count, mean and sum of squared deviations [F] of the rows seen so far."""

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.squares = np.zeros(size)

    def add(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        rows = rows.astype(np.float64)
        mean, count = rows.mean(axis=0), self.count + len(rows)
        shift = mean - self.mean
        self.squares += ((rows - mean) ** 2).sum(axis=0) + shift**2 * (self.count * len(rows) / count)
        self.mean += shift * (len(rows) / count)
        self.count = count

    def assign_to(self, layer: Standardization) -> None:
        if not self.count and layer.name.startswith("motion"):
            return  # no training clip moves: the layer is never used
        if not self.count or not np.isfinite(self.squares).all():
            raise InputError(
                f"{layer.name}: expected finite backbone outputs of at least one slot. Received: {self.count} slots"
            )
        variance = self.squares / self.count
        smallest = variance.mean() * _SMALLEST_RELATIVE_DEVIATION**2
        layer.mean.assign(self.mean)
        layer.variance.assign(np.maximum(variance, smallest) if smallest else np.ones_like(variance))
