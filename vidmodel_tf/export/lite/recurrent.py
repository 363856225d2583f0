"""LSTMs and GRUs without loops, as TensorFlow Lite files in int8 need them: what calibrates them cannot see inside one.

The only method that the classes override is `inner_loop`, by which Keras's own `LSTM` and `GRU` differ from `RNN` too:
it runs all steps, with the weights, masks, initial states and directions that the layer has.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.recurrent.steps import Recurrent, after_step, project_inputs

_register = keras.saving.register_keras_serializable(package="vidmodel_tf.lite")  # `Bidirectional` copies by config


def with_unrolled_recurrent(parts: InferenceParts) -> InferenceParts:
    """The same parts with all steps of their LSTMs and GRUs one after the other in the graph."""
    return parts.with_recurrent(_unrolled)


def _unrolled(layer: Recurrent, skips_slots: bool) -> Recurrent:
    kind = UnrolledLSTM if isinstance(layer, keras.layers.LSTM) else UnrolledGRU
    return kind(**layer.get_config(), first_slot_is_empty=skips_slots)


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
