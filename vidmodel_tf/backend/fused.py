"""BatchNorm and AdamW in one op each, while a model trains under TensorFlow.

Keras computes both out of single sums and products, which under TensorFlow on a processor takes a third of a training
step of ResNet50 in float32, half of one in bfloat16, and most of the graph that the first step has to build. The
layers and the optimizer stay Keras's own, so that files do not show how a model was trained.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras

_SMALLEST_EPSILON = 1.001e-5  # of TensorFlow's op, which takes no smaller one


@contextlib.contextmanager
def fused_training(model: keras.Model) -> Iterator[None]:
    """Fuses the BatchNorms and the optimizer of a model that is compiled with AdamW; on JAX, XLA does so by itself.

    Args:
        model: To be trained inside the block; the same numbers, but for rounding, come out.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    with contextlib.ExitStack() as stack:
        for layer in filter(_can_be_fused, model._flatten_layers()):
            stack.enter_context(_replaced(layer, "call", _batch_norm))
        stack.enter_context(_replaced(model.optimizer, "update_step", _adam))
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Gives one object another method, which is called with the object and its own method first."""
    setattr(owner, name, functools.partial(method, owner, getattr(owner, name)))
    try:
        yield
    finally:
        delattr(owner, name)


def _can_be_fused(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.axis in (-1, 3)
        and layer.scale
        and layer.center
        and layer.epsilon >= _SMALLEST_EPSILON
        and not (layer.renorm or layer.synchronized)
    )


def _batch_norm(
    layer: keras.layers.BatchNormalization,
    of_keras: Callable[..., Any],
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    import tensorflow as tf

    takes = inputs.shape.rank == 4 and inputs.dtype in (tf.float32, tf.bfloat16) and mask is None
    if not (training and layer.trainable and takes):
        return of_keras(inputs, training=training, mask=mask)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(layer.gamma, tf.float32),
        offset=tf.cast(layer.beta, tf.float32),
        mean=(),
        variance=(),
        epsilon=layer.epsilon,
        is_training=True,
    )
    num_values = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
    biased = variance * (1 - 1 / num_values)  # as Keras has it
    for moving, of_batch in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
        moving.assign(moving * layer.momentum + of_batch * (1 - layer.momentum))
    return outputs


def _adam(
    optimizer: keras.optimizers.AdamW, of_keras: Callable[..., None], gradient: Any, variable: Any, learning_rate: Any
) -> None:
    import tensorflow as tf

    if not isinstance(gradient, tf.Tensor) or variable.dtype != tf.float32:  # of an embedding, only some rows change
        of_keras(gradient, variable, learning_rate)
        return
    index, step = optimizer._get_variable_index(variable), tf.cast(optimizer.iterations + 1, tf.float32)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=tf.pow(optimizer.beta_1, step),
        beta2_power=tf.pow(optimizer.beta_2, step),
        lr=tf.cast(learning_rate, tf.float32),
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        epsilon=optimizer.epsilon,
        grad=tf.cast(gradient, tf.float32),
    )
