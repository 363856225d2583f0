"""LSTMs and GRUs in a form that becomes one op of ONNX each, whatever slots their masks rule out.

ONNX's ops have no masks, and its loops are slow and not supported by every program that reads ONNX. But a slot that is
ruled out leaves the state as it is, so it may as well be left out: the slots that count are moved to the front, a layer
without a mask goes over all of them, and each slot then reads the output of the last one that counts up to it.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.recurrent.steps import Recurrent

_register = keras.saving.register_keras_serializable(package="vidmodel_tf.onnx")  # `Bidirectional` copies by config


def with_onnx_recurrent(parts: InferenceParts) -> InferenceParts:
    """The same parts with LSTMs and GRUs that can be traced for ONNX."""
    return parts.with_recurrent(_packing)


def _packing(layer: Recurrent, skips_slots: bool) -> Recurrent:
    kind = PackingLSTM if isinstance(layer, keras.layers.LSTM) else PackingGRU
    return kind(**layer.get_config())


class _Packing(keras.layers.RNN):
    """Moves the slots that count to the front and runs over them without a mask."""

    def unmasked_cell(self) -> keras.Layer:
        """What runs over them, with the weights of the layer's own cell."""
        return self.cell

    def inner_loop(self, sequences, initial_state, mask, training=False):
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        if self.go_backwards:
            sequences, mask = sequences[:, ::-1], None if mask is None else mask[:, ::-1]
        unmasked = keras.layers.RNN(self.unmasked_cell(), return_sequences=True)
        if mask is None:
            return unmasked.inner_loop(sequences, initial_state, None)
        moves_BxTxT, reads_BxTxT = _places(mask, sequences.shape[1])
        _, outputs, _ = unmasked.inner_loop(tf.matmul(moves_BxTxT, sequences, transpose_a=True), initial_state, None)
        read = tf.matmul(reads_BxTxT, outputs)
        last = read[:, -1]
        outputs = tf.matmul(moves_BxTxT, outputs) if self.zero_output_for_mask else read
        return last, outputs, [last] * len(initial_state)  # nothing reads these: an LSTM's c is a placeholder


@_register
class PackingLSTM(_Packing, keras.layers.LSTM):
    """An LSTM that leaves out the slots that do not count."""


@_register
class PackingGRU(_Packing, keras.layers.GRU):
    """A GRU that leaves out the slots that do not count."""

    def unmasked_cell(self) -> keras.Layer:
        return _RecognisedGRUCell(self.cell)


class _RecognisedGRUCell(keras.Layer):
    """The step of a GRU as tf2onnx recognises it; Keras's own, which slices where this one splits, stays a loop.

    Args:
        cell: Whose weights it uses.
    """

    def __init__(self, cell: keras.layers.GRUCell) -> None:
        super().__init__()
        self.state_size, self._kernels = cell.state_size, (cell.kernel, cell.recurrent_kernel)
        self._biases = tf.unstack(cell.bias)  # outside the loop, where they are constants

    def call(self, inputs, states, training=False):
        (h,) = states
        products = (tf.matmul(values, kernel) for values, kernel in zip((inputs, h), self._kernels, strict=True))
        sums = (tf.nn.bias_add(product, bias) for product, bias in zip(products, self._biases, strict=True))
        (z, r, new), (z_of_h, r_of_h, new_of_h) = (tf.split(values, 3, axis=-1) for values in sums)
        z, r = tf.sigmoid(z + z_of_h), tf.sigmoid(r + r_of_h)
        h = z * h + (1 - z) * tf.tanh(new + r * new_of_h)
        return h, [h]


def _places(mask: tf.Tensor, num_slots: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Which place each slot takes at the front, and which one's output it reads, as matrices float32 [B, T, T].

    They hold zeros and ones, so products with them are exact. A row of zeros: a slot that is ruled out takes no place,
    and before the first one that counts there is nothing to read.
    """
    place_BxT = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
    reads = tf.cast(tf.equal(place_BxT[:, :, tf.newaxis], tf.range(num_slots)), tf.float32)
    return reads * tf.cast(mask, tf.float32)[:, :, tf.newaxis], reads
