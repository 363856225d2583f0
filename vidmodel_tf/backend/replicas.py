"""What TensorFlow's replicas of a model must share to train as one model on the whole batch.

By itself each of them clips the gradients of its part of the batch, and normalises by the statistics of its part.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


class AdamWOfReplicas(keras.optimizers.AdamW):
    """AdamW that clips the gradients of the whole batch: Keras's own clips before it adds up those of the replicas."""

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        return grads

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> list[tuple[Any, Any]]:
        grads, variables = zip(*super()._all_reduce_sum_gradients(grads_and_vars), strict=True)
        return list(zip(super()._clip_gradients(list(grads)), variables, strict=True))


@contextlib.contextmanager
def statistics_of_all_replicas(model: keras.Model) -> Iterator[None]:
    """Each BatchNorm of a model that trains meanwhile does so by the statistics of the whole batch."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.synchronized for layer in layers]
    for layer in layers:
        layer.synchronized = True
    try:
        yield
    finally:
        # It is part of the settings that a saved model has.
        for layer, synchronized in zip(layers, before, strict=True):
            layer.synchronized = synchronized
