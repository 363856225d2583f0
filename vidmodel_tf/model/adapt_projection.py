"""What a model takes from the statistics of its backbone's outputs: how they are standardised, and their components."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.model.layers import Standardization

_SMALLEST_RELATIVE_DEVIATION = 0.01


def adapt_projection(model: keras.Model, feature_batches: Iterable[np.ndarray]) -> None:
    """Sets the mean and variance of each stream's standardisation from the training clips.

    And where the model's projection is "principal", its kernel: the first principal components of the standardised
    outputs, with one scale for all that gives them a mean variance of 1. Those that vary most so stay the largest:
    a network that begins with small weights learns from them first, and from noise last.

    Slots of the motion stream that carry no motion (all zeros) are left out. Means and variances of the batches are
    combined in float64 as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances" (1979), so that memory stays at one batch. A feature that hardly varied gets the deviation
    of 1 % of the stream's usual one, so that one clip that wakes it does not drown all other features.

    Args:
        model: A model of `build_model`.
        feature_batches: Backbone outputs of all training clips, [b, T, S * F] each.

    Raises:
        InputError: There is no slot to learn from, or a value is not finite.
    """
    projection = model.get_layer("projection")
    layers = [layer for layer in projection.layers if isinstance(layer, Standardization)]
    kernels = [_fixed_kernel(projection, layer) for layer in layers]
    moments = [
        _Moments(layer.mean.shape[0], with_products=kernel is not None)
        for layer, kernel in zip(layers, kernels, strict=True)
    ]
    for batch in feature_batches:
        for layer, part, moment in zip(layers, np.split(np.asarray(batch), len(layers), axis=-1), moments, strict=True):
            slots = part.reshape(-1, part.shape[-1])
            moment.add(slots[np.any(slots != 0, axis=-1)] if layer.name.startswith("motion") else slots)
    for layer, kernel, moment in zip(layers, kernels, moments, strict=True):
        moment.assign_to(layer)
        if kernel is not None and moment.squares.any():
            kernel.assign(_principal_components(moment, layer.variance, kernel.shape[-1]))


def _fixed_kernel(projection: keras.Model, standardization: Standardization) -> keras.Variable | None:
    """That of the stream's projection, where it is "principal"."""
    stream = standardization.name.removesuffix("_standardization")
    found = [layer for layer in projection.layers if layer.name == f"{stream}_projection" and not layer.trainable]
    return found[0].kernel if found else None


def _principal_components(moments: _Moments, variance: keras.Variable, num_components: int) -> np.ndarray:
    """[F, num_components], for rows that were divided by the root of `variance`."""
    deviation = np.sqrt(keras.ops.convert_to_numpy(variance).astype(np.float64))
    variances, vectors = np.linalg.eigh(moments.products / moments.count / np.outer(deviation, deviation))
    first = slice(None, -num_components - 1, -1)  # from the largest
    return vectors[:, first] / np.sqrt(variances[first].mean())


class _Moments:
    """Count, mean, and sum of squared deviations [F] of the rows seen so far; on request of their products [F, F]."""

    def __init__(self, size: int, *, with_products: bool) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.squares = np.zeros(size)
        self.products = np.zeros((size, size)) if with_products else None

    def add(self, rows: np.ndarray) -> None:
        if not len(rows):
            return
        rows = rows.astype(np.float64)
        mean, count = rows.mean(axis=0), self.count + len(rows)
        shift = mean - self.mean
        centred, between = rows - mean, self.count * len(rows) / count
        self.squares += (centred**2).sum(axis=0) + shift**2 * between
        if self.products is not None:
            self.products += centred.T @ centred + np.outer(shift, shift) * between
        self.mean += shift * (len(rows) / count)
        self.count = count

    def assign_to(self, layer: Standardization) -> None:
        if not self.count and layer.name.startswith("motion"):
            return  # no training clip moves: there is nothing that the layer would ever be used on
        if not self.count or not np.isfinite(self.squares).all():
            raise InputError(
                f"{layer.name}: expected finite backbone outputs of at least one slot. Received: {self.count} slots"
            )
        variance = self.squares / self.count
        smallest = variance.mean() * _SMALLEST_RELATIVE_DEVIATION**2
        layer.mean.assign(self.mean)
        layer.variance.assign(np.maximum(variance, smallest) if smallest else np.ones_like(variance))
