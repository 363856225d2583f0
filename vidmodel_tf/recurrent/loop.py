"""LSTMs and GRUs of Keras as one loop of TensorFlow, in inference.

Keras's own loop multiplies the inputs of one step at a time, for which all weights are read from memory again at every
step. Here the part of a step that depends on the inputs alone is computed for all steps at once.
"""

from __future__ import annotations

import tensorflow as tf

from vidmodel_tf.recurrent.steps import Recurrent, after_step, project_inputs


def run_loop(
    layer: Recurrent, sequences: tf.Tensor, initial_state: list[tf.Tensor], mask
) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """What the method `inner_loop` of a layer of Keras returns.

    Args:
        layer: The layer, with an activation of `tanh` and a recurrent one of `sigmoid`; dropout is left out.
        sequences: [B, T, D], T known.
        initial_state: h [B, U], and of an LSTM c [B, U].
        mask: None, boolean [B, T], or that in a list.

    Returns:
        The last output [B, U], the outputs of all steps [B, T, U] (of the last one [B, 1, U], unless
        `layer.return_sequences`), and the last states.
    """
    projected, mask = project_inputs(layer, sequences, mask)
    num_steps = projected.shape[1]
    states = tuple(initial_state)
    h = states[0]
    outputs = tf.TensorArray(h.dtype, num_steps if layer.return_sequences else 0, element_shape=(None, h.shape[-1]))

    def step(t, states, outputs):
        mask_of_step = None if mask is None else tf.gather(mask, t, axis=1)
        states, output = after_step(layer, tf.gather(projected, t, axis=1), mask_of_step, states)
        return t + 1, states, outputs.write(t, output) if layer.return_sequences else outputs

    _, states, outputs = tf.while_loop(lambda t, *_: t < num_steps, step, (tf.constant(0), states, outputs))
    last = states[0]
    return last, tf.transpose(outputs.stack(), (1, 0, 2)) if layer.return_sequences else last[:, tf.newaxis], [*states]
