"""A Keras model, compiled by the backend that it is computed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from vidmodel_tf.backend.fused import fused_inference

Infer = Callable[[Any], Any]
"""From inputs to outputs, NumPy arrays [B, ...] nested as those of the model."""


def jit_of_training() -> bool | str:
    """What `model.compile` is to be told of XLA as `jit_compile`, also for a file that the other backend may read."""
    # JAX computes op by op without it. Under TensorFlow its compilation costs more than it saves on a CPU.
    return "auto" if keras.backend.backend() == "jax" else False


def compiled(model: keras.Model) -> Infer:
    """A function that computes a model in inference mode, with the weights that it has when it is called.

    Args:
        model: A functional model. Its rows must not depend on each other.

    Returns:
        A function of arrays with any number of rows. Under TensorFlow it is compiled once. JAX compiles it for each
        new shape, so there it is given fewer rows only as part of a batch of a size that it knows. Devices of JAX that
        share a batch (`devices.Devices.scope`) get equal parts.
    """
    return _by_tensorflow(model) if keras.backend.backend() == "tensorflow" else _BatchOfKnownSize(_by_jax(model))


def _by_tensorflow(model: keras.Model) -> Infer:
    import tensorflow as tf

    specs = keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), model.input)

    @tf.function(input_signature=[specs], autograph=False)
    def infer(inputs: Any) -> Any:
        with fused_inference(model):
            return model(inputs, training=False)

    def call(inputs: Any) -> Any:
        outputs = infer(keras.tree.map_structure(tf.convert_to_tensor, inputs))
        return keras.tree.map_structure(lambda tensor: tensor.numpy(), outputs)

    return call


def _by_jax(model: keras.Model) -> Infer:
    """Unlike `predict_on_batch`, it assigns no weights back, and gives each device a part of the rows."""
    import jax

    variables = model.variables

    @jax.jit
    def infer(values: Any, inputs: Any) -> Any:
        with keras.StatelessScope(zip(variables, values, strict=True)):
            return model(inputs, training=False)

    def call(inputs: Any) -> Any:
        values = [variable.value for variable in variables]
        return keras.tree.map_structure(np.array, infer(values, keras.tree.map_structure(_on_devices, inputs)))

    return call


def _on_devices(rows: np.ndarray) -> Any:
    distribution = keras.distribution.distribution()
    if distribution is None:
        return rows
    return keras.distribution.distribute_tensor(rows, distribution.get_data_layout(rows.shape))


class _BatchOfKnownSize:
    """Fills batches up to a size that is compiled already, where that at most doubles the work."""

    def __init__(self, infer: Infer) -> None:
        self._infer = infer
        self._sizes: set[int] = set()

    def __call__(self, inputs: Any) -> Any:
        num_rows = len(keras.tree.flatten(inputs)[0])
        whole = -(-num_rows // _num_sharing()) * _num_sharing()
        known = [size for size in self._sizes if num_rows <= size <= 2 * num_rows and size % _num_sharing() == 0]
        size = min(known, default=whole)
        self._sizes.add(size)
        filled = keras.tree.map_structure(lambda rows: _fill_up(rows, size), inputs)
        return keras.tree.map_structure(lambda rows: rows[:num_rows], self._infer(filled))


def _num_sharing() -> int:
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def _fill_up(rows: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)]) if len(rows) < size else rows
