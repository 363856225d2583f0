"""LSTMs and GRUs in a form that TensorFlow Lite runs with its built-in ops.

Keras's own loop keeps its outputs in lists of tensors, which TensorFlow Lite lacks. Here the part of a step that
depends on the inputs alone is computed for all steps at once, and the loop carries plain tensors.

The only method that the classes override is `inner_loop`, by which Keras's own `LSTM` and `GRU` differ from `RNN` too:
it runs all steps, with the weights, masks, initial states and directions that the layer has.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.recurrent.steps import Recurrent, after_step, project_inputs

_register = keras.saving.register_keras_serializable(package="vidmodel_tf.lite")  # `Bidirectional` copies by config


def with_lite_recurrent(parts: InferenceParts, *, unroll: bool) -> InferenceParts:
    """The same parts with LSTMs and GRUs that can be traced for TensorFlow Lite.

    Args:
        parts: A trained model.
        unroll: Without loops, as files in int8 need it: what calibrates them cannot see inside a loop.
    """
    return parts.with_recurrent(_unrolled if unroll else _looping)


def _looping(layer: Recurrent, skips_slots: bool) -> Recurrent:
    kind = LoopLSTM if isinstance(layer, keras.layers.LSTM) else LoopGRU
    return kind(**layer.get_config())


def _unrolled(layer: Recurrent, skips_slots: bool) -> Recurrent:
    kind = UnrolledLSTM if isinstance(layer, keras.layers.LSTM) else UnrolledGRU
    return kind(**layer.get_config(), first_slot_is_empty=skips_slots)


class _Loop(keras.layers.RNN):
    """All steps as one `while` loop over plain tensors."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        projected, mask = project_inputs(self, sequences, mask)
        num_steps = projected.shape[1]
        states = tuple(initial_state)
        outputs = tf.zeros((tf.shape(states[0])[0], num_steps if self.return_sequences else 0, states[0].shape[-1]))

        def step(t, states, outputs):
            mask_of_step = None if mask is None else tf.gather(mask, t, axis=1)
            states, output = after_step(self, tf.gather(projected, t, axis=1), mask_of_step, states)
            if self.return_sequences:  # each slot is added to once
                outputs += tf.one_hot(t, num_steps)[tf.newaxis, :, tf.newaxis] * output[:, tf.newaxis]
            return t + 1, states, outputs

        _, states, outputs = tf.while_loop(lambda t, *_: t < num_steps, step, (tf.constant(0), states, outputs))
        return states[0], outputs, list(states)


@_register
class LoopLSTM(_Loop, keras.layers.LSTM):
    """An LSTM as one loop."""


@_register
class LoopGRU(_Loop, keras.layers.GRU):
    """A GRU as one loop."""


class _Unrolled(keras.layers.RNN):
    """All steps one after the other in the graph.

    Args:
        first_slot_is_empty: The mask rules out the first slot of every clip (slot 0 of motion). Its step is left out:
            calibration finds no scale for numbers that are always 0.
        **kwargs: As for the layer of Keras.
    """

    def __init__(self, units: int, *, first_slot_is_empty: bool = False, **kwargs: object) -> None:
        super().__init__(units, **kwargs)
        self.first_slot_is_empty = first_slot_is_empty

    def inner_loop(self, sequences, initial_state, mask, training=False):
        projected, mask = project_inputs(self, sequences, mask)
        states = tuple(initial_state)
        outputs = []
        for t in self._steps(projected.shape[1]):
            mask_of_step = None if mask is None else mask[:, t]
            states, output = after_step(self, projected[:, t], mask_of_step, states)
            outputs.append(output[:, tf.newaxis])
        if self.first_slot_is_empty:
            nothing = [tf.zeros_like(states[0])[:, tf.newaxis]]
            outputs = outputs + nothing if self.go_backwards else nothing + outputs
        return states[0], tf.concat(outputs, axis=1), list(states)

    def _steps(self, num_slots: int) -> range:
        if not self.first_slot_is_empty:
            return range(num_slots)
        return range(num_slots - 1) if self.go_backwards else range(1, num_slots)

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "first_slot_is_empty": self.first_slot_is_empty}


@_register
class UnrolledLSTM(_Unrolled, keras.layers.LSTM):
    """An LSTM without a loop."""


@_register
class UnrolledGRU(_Unrolled, keras.layers.GRU):
    """A GRU without a loop."""
