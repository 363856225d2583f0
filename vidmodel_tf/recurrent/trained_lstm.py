"""An LSTM of Keras in training under TensorFlow: two small loops, and all else for all steps at once.

TensorFlow's own gradient of a loop keeps every value in it, and adds to the gradients of the weights at each step. Here
the loop forward keeps the gates, the loop backward computes nothing but what goes from one step to the one before, and
the gradient of each weight is one product over all steps. Hochreiter and Schmidhuber, "Long short-term memory" (1997),
with the forget gate of Gers et al., "Learning to forget" (2000).

Legend of shapes: T slots, B batch, U units. Gates stand side by side in the order i, f, g (the new values of c), o.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.recurrent.steps import project_inputs


def run_trained_lstm(
    layer: keras.layers.LSTM, sequences: tf.Tensor, initial_state: list[tf.Tensor], mask
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """What the method `inner_loop` of a layer of Keras returns; it can be differentiated once.

    Args:
        layer: The layer, with an activation of `tanh`, a recurrent one of `sigmoid` and no dropout of its own. Nothing
            may read its states, which are no real ones.
        sequences: [B, T, D], T known. Whatever their type, the loops compute in float32.
        initial_state: h and c, [B, U].
        mask: None, boolean [B, T], or that in a list.

    Returns:
        The last output [B, U], the outputs of all steps [B, T, U], and two tensors in the place of states.
    """
    projected, mask = project_inputs(layer, sequences, mask)
    projected = tf.transpose(tf.cast(projected, tf.float32), (1, 0, 2))
    mask = None if mask is None else tf.transpose(mask, (1, 0, 2))
    kernel, *state = (tf.cast(values, tf.float32) for values in (layer.cell.recurrent_kernel, *initial_state))
    h = _lstm(projected, mask, kernel, *state)
    outputs, last = tf.where(mask, h, 0.0) if mask is not None and layer.zero_output_for_mask else h, h[-1]
    return last, tf.transpose(outputs, (1, 0, 2)), [last, last]


def _lstm(
    projected: tf.Tensor, mask: tf.Tensor | None, kernel: tf.Tensor, first_h: tf.Tensor, first_c: tf.Tensor
) -> tf.Tensor:
    """h after each step [T, B, U], of `projected` [T, B, 4 * U], `mask` [T, B, 1] and `kernel` [U, 4 * U]."""

    @tf.custom_gradient
    def run(projected, kernel, first_h, first_c):
        h, c, gates = _forward(projected, mask, kernel, first_h, first_c)

        def gradient(of_outputs):
            before_h, before_c = tf.concat([first_h[None], h[:-1]], 0), tf.concat([first_c[None], c[:-1]], 0)
            of_projected, of_first_h, of_first_c = _backward(
                of_outputs, kernel, *_slopes(gates, before_c, c, mask), mask
            )
            rows = (tf.reshape(values, (-1, values.shape[-1])) for values in (before_h, of_projected))
            return of_projected, tf.matmul(*rows, transpose_a=True), of_first_h, of_first_c

        return h, gradient

    return run(projected, kernel, first_h, first_c)


def _forward(projected, mask, kernel, h, c) -> list[tf.Tensor]:
    """h and c [T, B, U] after each step, and the gates [T, B, 4 * U] of it."""
    num_steps, num_units = projected.shape[0], kernel.shape[0]
    read_projected, read_mask = _by_step(projected), None if mask is None else _by_step(mask)

    def step(t, h, c, *kept):
        i, f, g, o = tf.split(read_projected(t) + tf.matmul(h, kernel), 4, axis=-1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        new_c = f * c + i * g
        new_h = o * tf.tanh(new_c)
        if read_mask is not None:
            counts = read_mask(t)
            new_h, new_c = tf.where(counts, new_h, h), tf.where(counts, new_c, c)
        values = new_h, new_c, tf.concat([i, f, g, o], axis=-1)
        return t + 1, new_h, new_c, *(array.write(t, value) for array, value in zip(kept, values, strict=True))

    arrays = [_array(num_steps, width) for width in (num_units, num_units, 4 * num_units)]
    *_, h, c, gates = tf.while_loop(lambda t, *_: t < num_steps, step, (tf.constant(0), h, c, *arrays))
    return [array.stack() for array in (h, c, gates)]


def _slopes(gates, before_c, c, mask) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """How much c after a step, what goes into the gates, and c before it count for what comes after: [T, B, ...].

    They multiply the gradients of h, of (c, c, c, h) and of c. A step that the mask rules out hands c's on as it is.
    """
    i, f, g, o = tf.split(gates, 4, axis=-1)
    tanh_c = tf.tanh(c)
    of_c = o * (1 - tanh_c * tanh_c)
    of_gates = tf.concat([g * i * (1 - i), before_c * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], axis=-1)
    if mask is None:
        return of_c, of_gates, f
    return tf.where(mask, of_c, 0.0), tf.where(mask, of_gates, 0.0), tf.where(mask, f, 1.0)


def _backward(of_outputs, kernel, of_c, of_gates, of_before_c, mask) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The gradients of `projected` [T, B, 4 * U], and of h and c before the first step [B, U]."""
    num_steps, num_units = of_outputs.shape[0], kernel.shape[0]
    reads = [_by_step(values) for values in (of_outputs, of_c, of_gates, of_before_c)]
    read_left_out = None if mask is None else _by_step(1 - tf.cast(mask, tf.float32))

    def step(t, h, c, kept):
        of_output, of_c, of_gates, of_before_c = (read(t) for read in reads)
        h += of_output
        c += h * of_c
        projected = tf.concat([c, c, c, h], axis=-1) * of_gates
        before_h = tf.matmul(projected, kernel, transpose_b=True)
        if read_left_out is not None:
            before_h += read_left_out(t) * h
        return t - 1, before_h, c * of_before_c, kept.write(t, projected)

    nothing = tf.zeros_like(of_outputs[0])
    start = tf.constant(num_steps - 1), nothing, nothing, _array(num_steps, 4 * num_units)
    _, h, c, projected = tf.while_loop(lambda t, *_: t >= 0, step, start)
    return projected.stack(), h, c


def _array(num_steps: int, width: int) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, num_steps, element_shape=(None, width))


def _by_step(values: tf.Tensor):
    """A function from t to `values[t]`; in a loop it is faster than slicing."""
    shape = (None, values.shape[-1])
    return tf.TensorArray(values.dtype, values.shape[0], element_shape=shape).unstack(values).read
