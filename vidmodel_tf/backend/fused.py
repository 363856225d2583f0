"""Models of Keras in fewer and larger ops of TensorFlow, while they train or answer.

Keras computes BatchNorm and AdamW out of single sums and products, and an LSTM with a product of its inputs at each
step. Under TensorFlow on a processor each of these is a pass over memory, and all of them are a large part of the graph
that the first step has to build (docs/performance.md). The layers and the optimizer stay Keras's own, so that files do
not show how a model was trained.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras

_SMALLEST_EPSILON = 1.001e-5  # that TensorFlow's own callers of the op allow, for cuDNN's sake


@contextlib.contextmanager
def fused_training(model: keras.Model) -> Iterator[None]:
    """Fuses the BatchNorms, the LSTMs and the optimizer of a model that is compiled with AdamW.

    On JAX, XLA does so by itself.

    Args:
        model: To be trained inside the block; the same numbers, but for rounding, come out.
    """
    if keras.backend.backend() != "tensorflow":
        yield
        return
    with fused_inference(model), contextlib.ExitStack() as stack:
        for layer in filter(_is_known_batch_norm, model._flatten_layers()):
            stack.enter_context(_replaced(layer, "call", _batch_norm))
        if _is_plain(model.optimizer):
            for name, method in _OF_ADAM_W.items():
                stack.enter_context(_replaced(model.optimizer, name, method))
        yield


@contextlib.contextmanager
def fused_inference(model: keras.Model) -> Iterator[None]:
    """Fuses the LSTMs and GRUs of a model whose graph TensorFlow makes inside the block.

    Args:
        model: Any, but nothing may give its layers a first state; the same numbers, but for rounding, come out.
    """
    with contextlib.ExitStack() as stack:
        for layer in filter(_is_known_recurrent, model._flatten_layers()):
            stack.enter_context(_replaced(layer, "inner_loop", _recurrent))
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Gives one object another method, which is called with the object and its own method first."""
    before = vars(owner).get(name)
    setattr(owner, name, functools.partial(method, owner, getattr(owner, name)))
    try:
        yield
    finally:
        delattr(owner, name)
        if before is not None:  # in a block inside another one
            setattr(owner, name, before)


def _is_plain(optimizer: Any) -> bool:
    """Neither that of several devices, nor that of float16, which scales the loss."""
    is_adam_w = type(optimizer) is keras.optimizers.AdamW
    return is_adam_w and not (optimizer.amsgrad or optimizer.gradient_accumulation_steps)


def _is_known_recurrent(layer: Any) -> bool:
    """With gates as Keras has them by default, and not for cuDNN, which is faster still."""
    import tensorflow as tf

    is_as_by_default = (
        type(layer) in (keras.layers.LSTM, keras.layers.GRU)
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and layer.use_bias
        and getattr(layer, "reset_after", True)
        and layer.compute_dtype in ("float32", "bfloat16", "float16")
        and not (layer.dropout or layer.recurrent_dropout or layer.return_state or layer.stateful or layer.unroll)
        and (layer.return_sequences or not layer.zero_output_for_mask)
    )
    return is_as_by_default and not (layer.use_cudnn and tf.config.list_logical_devices("GPU"))


def _recurrent(
    layer: keras.layers.LSTM | keras.layers.GRU,
    of_keras: Callable[..., Any],
    sequences: Any,
    initial_state: Any,
    mask: Any,
    training: bool | None = False,
) -> Any:
    from vidmodel_tf.recurrent.loop import run_loop
    from vidmodel_tf.recurrent.trained_lstm import run_trained_lstm

    if sequences.shape[1] is None or (training and not isinstance(layer, keras.layers.LSTM)):
        return of_keras(sequences, initial_state, mask, training)
    return (run_trained_lstm if training else run_loop)(layer, sequences, initial_state, mask)


def _is_known_batch_norm(layer: Any) -> bool:
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
    biased = variance * (1 - 1 / _num_values(inputs))  # as Keras has it
    for moving, of_batch in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
        moving.value.assign_sub((moving.value - of_batch) * (1 - layer.momentum))
    return outputs


def _num_values(inputs: Any) -> Any:
    """How many values each channel has; a tensor where the size of the batch is not known yet."""
    import tensorflow as tf

    if inputs.shape.is_fully_defined():
        return math.prod(inputs.shape[:-1])
    return tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)


def _clip(
    optimizer: keras.optimizers.AdamW, of_keras: Callable[..., Sequence[Any]], gradients: Sequence[Any]
) -> Sequence[Any]:
    import tensorflow as tf

    if not optimizer.clipnorm:
        return of_keras(gradients)
    limit, one = tf.constant(optimizer.clipnorm / math.sqrt(2)), tf.constant(1.0)  # the op halves the squares
    return [
        # The reciprocal norm of zeros is infinite.
        gradient * tf.minimum(limit * tf.math.rsqrt(tf.nn.l2_loss(gradient)), one)
        if isinstance(gradient, tf.Tensor)
        else optimizer._clip_by_norm(gradient)  # that of an embedding, for some of its rows only
        for gradient in gradients
    ]


def _decay(optimizer: keras.optimizers.AdamW, of_keras: Callable[..., None], variables: Sequence[Any]) -> None:
    share = optimizer.learning_rate * optimizer.weight_decay
    for variable in variables:
        if optimizer._use_weight_decay(variable.value):
            variable.value.assign_sub(variable.value * share)


def _adam(
    optimizer: keras.optimizers.AdamW,
    of_keras: Callable[..., None],
    gradients: Sequence[Any],
    variables: Sequence[Any],
    learning_rate: Any,
) -> None:
    import tensorflow as tf

    # Each number is one op of the graph, however many variables there are.
    beta_1, beta_2, epsilon = (
        tf.constant(number) for number in (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon)
    )
    step = tf.cast(optimizer.iterations.value + 1, tf.float32)
    rate = tf.convert_to_tensor(learning_rate)
    powers = {"beta1_power": tf.pow(beta_1, step), "beta2_power": tf.pow(beta_2, step)}
    for gradient, variable in zip(gradients, variables, strict=True):
        if not isinstance(gradient, tf.Tensor):
            optimizer.update_step(gradient, variable.value, learning_rate)
            continue
        index = optimizer._get_variable_index(variable.value)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.value.handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=epsilon,
            grad=gradient,
            **powers,
        )


_OF_ADAM_W = {"_clip_gradients": _clip, "_apply_weight_decay": _decay, "_backend_update_step": _adam}
