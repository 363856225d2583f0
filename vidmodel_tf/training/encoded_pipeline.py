"""Encoded clips -> batches, in the same order and with the same labels as from pixels.

Inputs: `{"token_ids": int32 [B, L]}`, with frames also `"encodings"` float32 [B, T, S * F], or `"activations"` float32
[B, T, h, w, S * c] at the cut through the backbone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.pipeline import clip_text_encoder, epoch_seed, epochs
from vidmodel_tf.training.encoded_files import EncodedFiles
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.plan import Inputs

SHUFFLED_CLIPS = 256
KEPT_BYTES = 128 * 2**20  # at most: a clip is 131 kB for 16 frames of ResNet50, but may be 50 MB at a cut

ToInputs = Callable[[Mapping[str, Any], tf.Tensor | None], dict[str, tf.Tensor]]


def encoded_for_inference(files: EncodedFiles, job: Job, inputs: Inputs) -> tf.data.Dataset:
    """Every clip once, in stored order, unmirrored; kept in memory for the next time where that is little.

    Args:
        files: The encoded clips of a split.
        job: The run and its data.
        inputs: The name of the model's input for the encodings.
    """
    to_inputs = _to_inputs(job, inputs)

    def to_model(record: tf.Tensor):
        example, encodings = files.parse(record, 0)
        return to_inputs(example, encodings), *job.objective.targets(example)

    clips = files.records.in_order().map(to_model, num_parallel_calls=tf.data.AUTOTUNE)
    token_bytes = tf.int32.size * job.run.config.model.num_tokens
    if files.num_clips * (files.clip_bytes + token_bytes) <= KEPT_BYTES:
        clips = clips.cache()
    num_batches = -(-files.num_clips // job.batch_size)
    batches = clips.batch(job.batch_size).apply(tf.data.experimental.assert_cardinality(num_batches))
    return fixed_parallelism(batches.prefetch(1))


def encoded_for_training(files: EncodedFiles, job: Job, inputs: Inputs, *, first_epoch: int) -> tf.data.Dataset:
    """All epochs from `first_epoch` on; each clip in one of its views, drawn anew in each epoch.

    Args:
        files: The encoded training clips.
        job: The run and its data.
        inputs: The name of the model's input for the encodings.
        first_epoch: From 0, counted over all stages.
    """
    to_inputs, seed_of_run = _to_inputs(job, inputs), job.run.config.train.seed

    def to_model(number: tf.Tensor, record: tf.Tensor, epoch: tf.Tensor):
        seed = tf.random.fold_in(epoch_seed(seed_of_run, epoch), number)
        view = tf.random.stateless_uniform((), seed, 0, files.num_views(record), tf.int32)
        example, encodings = files.parse(record, view)
        return to_inputs(example, encodings), *job.objective.training_targets(example)

    window = max(1, min(SHUFFLED_CLIPS, KEPT_BYTES // max(files.clip_bytes, 1)))

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        records = files.records.shuffled(epoch_seed(seed_of_run, epoch), window).enumerate()
        records = job.share.of_records(records, job.batch_size, files.num_clips)
        clips = records.map(lambda i, r: to_model(i, r, epoch), num_parallel_calls=tf.data.AUTOTUNE)
        return clips.batch(job.share.rows(job.batch_size), drop_remainder=True)

    return fixed_parallelism(epochs(one_epoch, files.num_clips // job.batch_size, seed_of_run, first_epoch).prefetch(1))


def _to_inputs(job: Job, inputs: Inputs) -> ToInputs:
    encode_text = clip_text_encoder(job.run.config.model, job.run.vocabulary)

    def to_inputs(example: Mapping[str, Any], encodings: tf.Tensor | None) -> dict[str, tf.Tensor]:
        token_ids = {"token_ids": encode_text(example["text"])}
        return token_ids if encodings is None else {**token_ids, inputs: encodings}

    return to_inputs
