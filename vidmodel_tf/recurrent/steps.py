"""One step of an LSTM or a GRU, with what the inputs add to it computed beforehand for all steps at once.

Legend of shapes: B batch, T slots, D features, U units, G gates (4 of an LSTM, 3 of a GRU).
"""

from __future__ import annotations

from typing import TypeAlias

import tensorflow as tf
from keras import layers

Recurrent: TypeAlias = layers.LSTM | layers.GRU
States = tuple[tf.Tensor, ...]  # [B, U] each: h, and of an LSTM also c


def project_inputs(layer: Recurrent, sequences: tf.Tensor, mask) -> tuple[tf.Tensor, tf.Tensor | None]:
    """What the inputs [B, T, D] alone add to the gates, [B, T, G * U], and the mask, boolean [B, T, 1] or None.

    Both in the order in which the layer reads. `mask` is None, boolean [B, T], or that in a list.
    """
    cell, mask = layer.cell, mask[0] if isinstance(mask, list | tuple) else mask
    bias = cell.bias if isinstance(layer, layers.LSTM) else cell.bias[0]  # a GRU's second one is the state's
    projected = tf.matmul(sequences, cell.kernel) + bias
    mask = None if mask is None else mask[..., tf.newaxis]
    if layer.go_backwards:
        return projected[:, ::-1], None if mask is None else mask[:, ::-1]
    return projected, mask


def after_step(
    layer: Recurrent, projected: tf.Tensor, mask: tf.Tensor | None, states: States
) -> tuple[States, tf.Tensor]:
    """The states after a step, and its output; a step that the mask [B, 1] rules out leaves the states."""
    after = (_lstm_step if isinstance(layer, layers.LSTM) else _gru_step)(layer.cell, projected, states)
    if mask is None:
        return after, after[0]
    states = tuple(tf.where(mask, new, old) for new, old in zip(after, states, strict=True))
    h = states[0]
    return states, tf.where(mask, h, tf.zeros_like(h)) if layer.zero_output_for_mask else h


def _lstm_step(cell: layers.LSTMCell, projected: tf.Tensor, states: States) -> States:
    h, c = states
    i, f, g, o = tf.split(projected + tf.matmul(h, cell.recurrent_kernel), 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def _gru_step(cell: layers.GRUCell, projected: tf.Tensor, states: States) -> States:
    (h,) = states
    recurrent = tf.matmul(h, cell.recurrent_kernel) + cell.bias[1]
    (z, r, new), (z_of_h, r_of_h, new_of_h) = (tf.split(values, 3, axis=-1) for values in (projected, recurrent))
    z, r = tf.sigmoid(z + z_of_h), tf.sigmoid(r + r_of_h)
    return (z * h + (1 - z) * tf.tanh(new + r * new_of_h),)
