"""Cached features -> batches, in the same order and with the same labels as from pixels.

Inputs: `{"backbone_output": float32 [B, T, ..., S * F], "token_ids": int32 [B, L]}`; words alone without the former.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.pipeline import clip_text_encoder, epoch_seed, epochs, targets
from vidmodel_tf.text.vocabulary import Vocabulary
from vidmodel_tf.training.features import FeatureFiles

SHUFFLED_CLIPS = 256
KEPT_BYTES = 128 * 2**20  # at most: a clip is 131 kB for 16 frames of ResNet50, but may be 50 MB below a cut


def features_for_inference(
    files: FeatureFiles,
    labels: Labels,
    config: ModelConfig,
    vocabulary: Vocabulary,
    *,
    num_clips: int,
    batch_size: int,
) -> tf.data.Dataset:
    """Every clip once, in stored order, unmirrored; kept in memory, where that is little, for the next time."""
    encode_text = clip_text_encoder(config, vocabulary)

    def to_model(record: tf.Tensor):
        example = files.parse(record, 0)
        return _inputs(example, encode_text), *targets(example, labels)

    clips = files.records.in_order().map(to_model, num_parallel_calls=tf.data.AUTOTUNE)
    token_bytes = tf.int32.size * config.num_tokens
    if num_clips * (files.clip_bytes + token_bytes) <= KEPT_BYTES:
        clips = clips.cache()
    num_batches = -(-num_clips // batch_size)
    return clips.batch(batch_size).apply(tf.data.experimental.assert_cardinality(num_batches)).prefetch(1)


def features_for_training(
    files: FeatureFiles,
    labels: Labels,
    config: ModelConfig,
    vocabulary: Vocabulary,
    train: TrainConfig,
    *,
    num_clips: int,
    batch_size: int,
    class_weights: Mapping[str, Sequence[float]] | None,
    first_epoch: int,
) -> tf.data.Dataset:
    """All epochs from `first_epoch` on; each clip in one of its views, drawn anew in each epoch."""
    encode_text = clip_text_encoder(config, vocabulary)

    def to_model(number: tf.Tensor, record: tf.Tensor, epoch: tf.Tensor):
        seed = tf.random.fold_in(epoch_seed(train.seed, epoch), number)
        view = tf.random.stateless_uniform((), seed, 0, files.num_views(record), tf.int32)
        example = files.parse(record, view)
        return _inputs(example, encode_text), *targets(example, labels, class_weights)

    window = max(1, min(SHUFFLED_CLIPS, KEPT_BYTES // max(files.clip_bytes, 1)))

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        records = files.records.shuffled(epoch_seed(train.seed, epoch), window).enumerate()
        clips = records.map(lambda i, r: to_model(i, r, epoch), num_parallel_calls=tf.data.AUTOTUNE)
        return clips.batch(batch_size, drop_remainder=True)

    return epochs(one_epoch, num_clips // batch_size, train.seed, first_epoch).prefetch(1)


def _inputs(example: Mapping[str, tf.Tensor], encode_text) -> dict[str, tf.Tensor]:
    inputs = {"token_ids": encode_text(example["text"])}
    if "backbone_output" in example:
        inputs["backbone_output"] = example["backbone_output"]
    return inputs
