"""LSTMs in a form that becomes one LSTM op of ONNX each, whatever slots their masks rule out.

ONNX's op knows no masks, and its loops are slow and not understood by everything that reads ONNX. But a slot that is
ruled out leaves the state as it is, so it may as well not be there: the slots that count are moved to the front, an
LSTM without a mask goes over all of them, and each slot then reads the output of the last one that counts up to it.
"""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from vidmodel_tf.export.lite.lstm import lstms_of


def use_onnx_lstms(head: keras.Model) -> None:
    """Lets all LSTMs of a model be traced for ONNX from now on, with the weights that they have.

    Args:
        head: The head of a model.
    """
    for lstm in lstms_of(head):
        unmasked = keras.layers.LSTM(lstm.units, return_sequences=True, use_cudnn=False)
        unmasked.cell = lstm.cell
        lstm.inner_loop = functools.partial(_run, lstm, unmasked)


def _run(lstm: keras.layers.LSTM, unmasked: keras.layers.LSTM, sequences, initial_state, mask, training=False):
    mask = mask[0] if isinstance(mask, list | tuple) else mask
    if lstm.go_backwards:
        sequences, mask = sequences[:, ::-1], None if mask is None else mask[:, ::-1]
    if mask is None:
        return unmasked.inner_loop(sequences, initial_state, None)
    moves_BxTxT, reads_BxTxT = _places(mask, sequences.shape[1])
    _, outputs, _ = unmasked.inner_loop(tf.matmul(moves_BxTxT, sequences, transpose_a=True), initial_state, None)
    read = tf.matmul(reads_BxTxT, outputs)
    last = read[:, -1]
    outputs = tf.matmul(moves_BxTxT, outputs) if lstm.zero_output_for_mask else read
    return last, outputs, [last, last]  # of states a model here never reads more than the last output


def _places(mask: tf.Tensor, num_slots: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Which place each slot takes at the front, and which one's output it reads, as matrices float32 [B, T, T].

    They hold zeros and ones, so that products with them are exact. A row of zeros: a slot that is ruled out takes no
    place, and before the first one that counts there is nothing to read.
    """
    place_BxT = tf.cumsum(tf.cast(mask, tf.int32), axis=1) - 1
    reads = tf.cast(tf.equal(place_BxT[:, :, tf.newaxis], tf.range(num_slots)), tf.float32)
    return reads * tf.cast(mask, tf.float32)[:, :, tf.newaxis], reads
