"""LSTMs in a form that TensorFlow Lite runs with its built-in ops.

Keras's own loop keeps its outputs in lists of tensors, which TensorFlow Lite lacks. Here the part of a step that
depends on the inputs alone is computed for all steps at once, and the loop carries plain tensors.

The only method that the two classes override is `inner_loop`, by which Keras's own `LSTM` differs from `RNN` too: it
runs all steps, with the weights, masks, initial states and directions that the layer has.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.export.replace_lstms import LayerConfig

_register = keras.saving.register_keras_serializable(package="vidmodel_tf.lite")  # `Bidirectional` copies by config


def with_lite_lstms(parts: InferenceParts, *, unroll: bool) -> InferenceParts:
    """The same parts with LSTMs that can be traced for TensorFlow Lite.

    Args:
        parts: A trained model.
        unroll: Without loops, as files in int8 need it: what calibrates them cannot see inside a loop.
    """
    return parts.with_lstms(_unrolled if unroll else _looping)


def _looping(config: LayerConfig, skips_slots: bool) -> LoopLSTM:
    return LoopLSTM(**config)


def _unrolled(config: LayerConfig, skips_slots: bool) -> UnrolledLSTM:
    return UnrolledLSTM(**config, first_slot_is_empty=skips_slots)


@_register
class LoopLSTM(keras.layers.LSTM):
    """An LSTM as one `while` loop over plain tensors."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        projected, mask = _project_inputs(self, sequences, mask)
        num_steps = projected.shape[1]
        h, c = initial_state
        outputs = tf.zeros((tf.shape(h)[0], num_steps if self.return_sequences else 0, self.units))

        def step(t, h, c, outputs):
            h, c, output = _step(self, tf.gather(projected, t, axis=1), tf.gather(mask, t, axis=1), h, c)
            if self.return_sequences:  # each slot is added to once
                outputs += tf.one_hot(t, num_steps)[tf.newaxis, :, tf.newaxis] * output[:, tf.newaxis]
            return t + 1, h, c, outputs

        _, h, c, outputs = tf.while_loop(lambda t, *_: t < num_steps, step, (tf.constant(0), h, c, outputs))
        return h, outputs, [h, c]


@_register
class UnrolledLSTM(keras.layers.LSTM):
    """An LSTM whose steps stand one after the other in the graph.

    Args:
        first_slot_is_empty: The mask rules out the first slot of every clip (slot 0 of motion). Its step is left out:
            calibration finds no scale for numbers that are always 0.
        **kwargs: As for `keras.layers.LSTM`.
    """

    def __init__(self, units: int, *, first_slot_is_empty: bool = False, **kwargs: object) -> None:
        super().__init__(units, **kwargs)
        self.first_slot_is_empty = first_slot_is_empty

    def inner_loop(self, sequences, initial_state, mask, training=False):
        projected, mask = _project_inputs(self, sequences, mask)
        h, c = initial_state
        outputs = []
        for t in self._steps(projected.shape[1]):
            h, c, output = _step(self, projected[:, t], mask[:, t], h, c)
            outputs.append(output[:, tf.newaxis])
        if self.first_slot_is_empty:
            nothing = [tf.zeros_like(h)[:, tf.newaxis]]
            outputs = outputs + nothing if self.go_backwards else nothing + outputs
        return h, tf.concat(outputs, axis=1), [h, c]

    def _steps(self, num_slots: int) -> range:
        if not self.first_slot_is_empty:
            return range(num_slots)
        return range(num_slots - 1) if self.go_backwards else range(1, num_slots)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "first_slot_is_empty": self.first_slot_is_empty}


def _project_inputs(lstm: keras.layers.LSTM, sequences, mask) -> tuple[tf.Tensor, tf.Tensor]:
    """What the inputs alone add to the four gates [B, T, 4 * units], and the mask, boolean [B, T, 1]."""
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
