"""LSTMs in a form that TensorFlow Lite runs with its built-in ops, with the weights and masks that they have.

Keras's own loop keeps its outputs in lists of tensors, which TensorFlow Lite lacks. Here the part of a step that looks
at the inputs alone is worked out for all steps at once, and the loop carries plain tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import keras
import tensorflow as tf


def use_lite_lstms(head: keras.Model, *, unroll: bool) -> None:
    """Lets all LSTMs of a model be traced for TensorFlow Lite from now on.

    Args:
        head: The head of a model.
        unroll: Without loops: what calibrates int8 files cannot look into one.
    """
    for lstm in lstms_of(head):
        lstm.inner_loop = functools.partial(_run_unrolled if unroll else _run_loop, lstm)


def lstms_of(head: keras.Model) -> Iterator[keras.layers.LSTM]:
    """The LSTMs of a model, those inside a Bidirectional too."""
    for layer in head.layers:
        wrapped = isinstance(layer, keras.layers.Bidirectional)
        for lstm in (layer.forward_layer, layer.backward_layer) if wrapped else (layer,):
            if isinstance(lstm, keras.layers.LSTM):
                yield lstm


def _run_loop(lstm: keras.layers.LSTM, sequences, initial_state, mask, training=False):
    projected, mask = _prepare(lstm, sequences, mask)
    num_steps = projected.shape[1]
    h, c = initial_state
    outputs = tf.zeros((tf.shape(h)[0], num_steps if lstm.return_sequences else 0, lstm.units))

    def step(t, h, c, outputs):
        h, c, output = _step(lstm, tf.gather(projected, t, axis=1), tf.gather(mask, t, axis=1), h, c)
        if lstm.return_sequences:  # each slot is added to once
            outputs += tf.one_hot(t, num_steps)[tf.newaxis, :, tf.newaxis] * output[:, tf.newaxis]
        return t + 1, h, c, outputs

    _, h, c, outputs = tf.while_loop(lambda t, *_: t < num_steps, step, (tf.constant(0), h, c, outputs))
    return h, outputs, [h, c]


def _run_unrolled(lstm: keras.layers.LSTM, sequences, initial_state, mask, training=False):
    projected, mask = _prepare(lstm, sequences, mask)
    h, c = initial_state
    outputs = []
    for t in _steps_with_content(lstm, projected.shape[1]):
        h, c, output = _step(lstm, projected[:, t], mask[:, t], h, c)
        outputs.append(output[:, tf.newaxis])
    if len(outputs) < projected.shape[1]:
        nothing = [tf.zeros_like(h)[:, tf.newaxis]]
        outputs = outputs + nothing if lstm.go_backwards else nothing + outputs
    return h, tf.concat(outputs, axis=1), [h, c]


def _steps_with_content(lstm: keras.layers.LSTM, num_steps: int) -> range:
    """All steps but slot 0 of motion, which never carries any: no int8 scale fits numbers that are always 0."""
    if "motion." not in lstm.name:
        return range(num_steps)
    return range(num_steps - 1) if lstm.go_backwards else range(1, num_steps)


def _prepare(lstm: keras.layers.LSTM, sequences, mask) -> tuple[tf.Tensor, tf.Tensor]:
    """What the inputs alone give to the four gates [B, T, 4 * units], and the mask, boolean [B, T, 1]."""
    cell, mask = lstm.cell, mask[0] if isinstance(mask, list | tuple) else mask
    projected = tf.matmul(sequences, cell.kernel) + cell.bias
    mask = tf.ones_like(sequences[..., :1], tf.bool) if mask is None else mask[..., tf.newaxis]
    return (projected[:, ::-1], mask[:, ::-1]) if lstm.go_backwards else (projected, mask)


def _step(lstm: keras.layers.LSTM, projected, mask, h, c) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The state after a step, and its output; a step that the mask rules out leaves the state."""
    i, f, g, o = tf.split(projected + tf.matmul(h, lstm.cell.recurrent_kernel), 4, axis=-1)
    c_after = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    h_after = tf.sigmoid(o) * tf.tanh(c_after)
    h, c = tf.where(mask, h_after, h), tf.where(mask, c_after, c)
    return h, c, tf.where(mask, h, tf.zeros_like(h)) if lstm.zero_output_for_mask else h
