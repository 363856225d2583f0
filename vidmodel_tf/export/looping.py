"""LSTMs and GRUs in the form in which SavedModels and TensorFlow Lite files have them: one fast loop each.

The only method that the classes override is `inner_loop`, by which Keras's own `LSTM` and `GRU` differ from `RNN` too.
"""

from __future__ import annotations

import keras

from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.recurrent.loop import run_loop
from vidmodel_tf.recurrent.steps import Recurrent

_register = keras.saving.register_keras_serializable(package="vidmodel_tf.export")  # `Bidirectional` copies by config


def with_looping_recurrent(parts: InferenceParts) -> InferenceParts:
    """The same parts with LSTMs and GRUs that compute as `recurrent.loop.run_loop` does."""
    return parts.with_recurrent(_looping)


def _looping(layer: Recurrent, skips_slots: bool) -> Recurrent:
    kind = LoopLSTM if isinstance(layer, keras.layers.LSTM) else LoopGRU
    return kind(**layer.get_config())


class _Loop(keras.layers.RNN):
    def inner_loop(self, sequences, initial_state, mask, training=False):
        return run_loop(self, sequences, initial_state, mask)


@_register
class LoopLSTM(_Loop, keras.layers.LSTM):
    """An LSTM as one loop."""


@_register
class LoopGRU(_Loop, keras.layers.GRU):
    """A GRU as one loop."""
