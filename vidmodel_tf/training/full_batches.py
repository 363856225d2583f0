"""Batches that several devices can share equally."""

from __future__ import annotations

import keras
import tensorflow as tf

from vidmodel_tf.backend.devices import Devices
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run


def check_shared(run: Run, data: DataSet, devices: Devices) -> None:
    """Refuses a run whose training several devices cannot share.

    Args:
        run: What is to be trained.
        data: Its data set, in the splits that it is trained with.
        devices: What it is to be trained on.

    Raises:
        InputError: The batches are no multiple of the number of devices, or Keras cannot train in that precision.
    """
    train, number, num_clips = run.config.train, len(devices.names), data.count("train")
    all_clips = num_clips + data.count("validation") if train.refit else num_clips
    for size in (min(train.batch_size, num_clips), min(train.batch_size, all_clips)):
        if size % number:
            raise InputError(
                f"train.batch_size: expected a multiple of {number}, the devices that share each batch "
                f"(train.devices), not above the number of training clips, {num_clips}. Received: {train.batch_size}"
            )
    if devices.are_replicas and run.config.model.precision == "mixed_float16":
        raise InputError(
            "model.precision: expected float32 or mixed_bfloat16 with train.devices, for Keras on TensorFlow looks "
            "for overflows on the first device alone. Received: mixed_float16"
        )


def fill_last_batch(batches: tf.data.Dataset, batch_size: int, num_clips: int) -> tf.data.Dataset:
    """The same batches of `(inputs, labels, weights)`, the last one filled up with rows that do not count.

    The rows that are added are zeros with weight 0. Keras divides a loss by all rows, so the weights of the others
    grow by as much, and the loss of the whole is that of the clips.

    Args:
        batches: Of a split.
        batch_size: Of all but the last.
        num_clips: In the split.
    """
    num_batches = -(-num_clips // batch_size)
    growth = num_batches * batch_size / num_clips

    def fill(rows: tf.Tensor) -> tf.Tensor:
        missing = batch_size - tf.shape(rows)[0]
        filled = tf.pad(rows, [[0, missing], *([[0, 0]] * (rows.shape.rank - 1))])
        return tf.ensure_shape(filled, (batch_size, *rows.shape[1:]))

    def fill_all(inputs, labels, weights):
        weights = keras.tree.map_structure(lambda weight: weight * growth, weights)
        return keras.tree.map_structure(fill, (inputs, labels, weights))

    return batches.map(fill_all, num_parallel_calls=tf.data.AUTOTUNE).prefetch(1)
