"""TFRecords -> batches of `(inputs, labels, weights)` for `model.fit`, `evaluate` and `predict`.

Inputs: `{"frames": uint8 [B, T, H, W, 3] RGB, "token_ids": int32 [B, L]}`.
Labels: `{head: int32 [B]}`, or float32 0/1 [B, K] for a multi-label head.
Weights: `{head: float32 [B]}`. A clip that is not labelled for a head has class 0 (or all zeros) and weight 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.batch_share import WHOLE, BatchShare
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.frames import decode_augmented, decode_frames
from vidmodel_tf.records.schema import parse_clip
from vidmodel_tf.text.tokenize_graph import join_fields, text_encoder
from vidmodel_tf.text.vocabulary import Vocabulary
from vidmodel_tf.video.sampling import slot_stride

# The window in which clips are shuffled, as JPEG bytes (less than a megabyte a clip). Small is enough: shards are
# shuffled too, and `prepare` has mixed the clips.
SHUFFLED_CLIPS = 64

ToTargets = Callable[[Mapping[str, Any]], tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]]
"""One parsed clip -> its labels and weights."""


def load_labels(data_dir: str | Path) -> Labels:
    """The heads of a prepared data set and their class names, by class id.

    Raises:
        InputError: The folder is no prepared data set.
    """
    return open_data_set(data_dir).labels


def load_dataset(
    data_dir: str | Path,
    split: str,
    config: ModelConfig,
    vocabulary: Vocabulary,
    *,
    batch_size: int = 16,
    seed: int = 0,
) -> tf.data.Dataset:
    """A split as batches of `(inputs, labels, weights)`; the module's docstring says their shapes.

    Args:
        data_dir: A prepared data set.
        split: "train" is shuffled and augmented anew in each iteration; the other splits come in stored order.
        config: The model's settings: how many frames, their size, which text fields.
        vocabulary: Of the training split.
        batch_size: Clips in a batch, at least 1; the last batch of a split other than "train" may be smaller.
        seed: Of the shuffling and the augmentation.

    Raises:
        InputError: The folder is no prepared data set, has no such split, or its frames do not fit the model, or
            `batch_size` or `seed` is out of range.
    """
    data, train = open_data_set(data_dir), TrainConfig(batch_size=batch_size, seed=seed)
    if split == "train":
        return for_training(data, config, vocabulary, train)
    return for_inference(data, split, config, vocabulary, batch_size=train.batch_size)


def for_inference(
    data: DataSet,
    split: str,
    config: ModelConfig,
    vocabulary: Vocabulary,
    *,
    batch_size: int,
    to_targets: ToTargets | None = None,
) -> tf.data.Dataset:
    """Every clip of the split once, in stored order, with every (N/T)-th of its N stored frames.

    Args:
        data: A prepared data set.
        split: Its name.
        config: The model's settings.
        vocabulary: Of the training split.
        batch_size: Clips in a batch; the last may be smaller.
        to_targets: None: the labels of the clip.
    """
    to_targets = to_targets or functools.partial(targets, labels=data.labels)
    encode_text = clip_text_encoder(config, vocabulary)
    slots = data.slots(config.num_frames) if config.has_frames else None

    def to_model(record: tf.Tensor):
        example = parse_clip(data.features, record[0])
        frames = _black_frames(config)
        if slots is not None:
            frames = decode_frames(tf.gather(example["frames"], slots), config.height, config.width)
        return {"frames": frames, "token_ids": encode_text(example["text"])}, *to_targets(example)

    clips = data.records(split).in_order().map(to_model, num_parallel_calls=tf.data.AUTOTUNE)
    num_batches = -(-data.count(split) // batch_size)
    batches = clips.batch(batch_size).apply(tf.data.experimental.assert_cardinality(num_batches))
    return fixed_parallelism(batches.prefetch(1))


def _black_frames(config: ModelConfig) -> tf.Tensor:
    """The frames of a clip for a model of words alone, which takes frames as input but ignores them."""
    return tf.zeros((config.num_frames, config.height, config.width, 3), tf.uint8)


def for_training(
    data: DataSet,
    config: ModelConfig,
    vocabulary: Vocabulary,
    train: TrainConfig,
    *,
    to_targets: ToTargets | None = None,
    first_epoch: int | None = None,
    share: BatchShare = WHOLE,
) -> tf.data.Dataset:
    """Shuffled and augmented clips of the training split, all batches of one size.

    Args:
        data: A prepared data set.
        config: The model's settings.
        vocabulary: Of the training split.
        train: Batch size, seed and augmentation.
        to_targets: None: the labels of the clip, all clips with the same weight.
        first_epoch: None: one epoch, which differs each time it is iterated over. A number: all epochs from that one
            on, without end, so that a resumed run sees the batches that it would have seen.
        share: The part of each batch that is wanted.
    """
    to_targets = to_targets or functools.partial(targets, labels=data.labels)
    encode_text = clip_text_encoder(config, vocabulary)
    slots = data.slots(config.num_frames) if config.has_frames else None
    num_offsets = slot_stride(data.num_stored_frames, config.num_frames) if config.has_frames else 1
    files, num_clips = data.records("train"), data.count("train")
    batch_size = min(train.batch_size, num_clips)

    def to_model(number: tf.Tensor, record: tf.Tensor, epoch: tf.Tensor):
        seed = tf.random.fold_in(epoch_seed(train.seed, epoch), number)
        example = parse_clip(data.features, record[0])
        frames = _black_frames(config)
        if slots is not None:
            offset = tf.random.stateless_uniform((), seed, 0, num_offsets, tf.int32)
            frames = _augment(tf.gather(example["frames"], slots + offset), config, train, seed)
        inputs = {"frames": frames, "token_ids": encode_text(example["text"])}
        return inputs, *to_targets(example)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        # Shuffle JPEG bytes, before anything is decoded: so the memory stays small.
        records = files.shuffled(epoch_seed(train.seed, epoch), SHUFFLED_CLIPS).enumerate()
        records = share.of_records(records, batch_size, num_clips)
        clips = records.map(lambda i, r: to_model(i, r, epoch), num_parallel_calls=tf.data.AUTOTUNE)
        # Without the remainder every batch has the same static shape, so the training step is traced once.
        return clips.batch(share.rows(batch_size), drop_remainder=True)

    return fixed_parallelism(epochs(one_epoch, num_clips // batch_size, train.seed, first_epoch).prefetch(1))


def _augment(jpegs_T: tf.Tensor, config: ModelConfig, train: TrainConfig, seed: tf.Tensor) -> tf.Tensor:
    return decode_augmented(
        jpegs_T,
        config.height,
        config.width,
        seed,
        mirror=train.mirror,
        random_crop=train.random_crop,
        random_color=train.random_color,
    )


def epochs(
    one_epoch: Callable[[tf.Tensor], tf.data.Dataset], num_batches: int, seed: int, first_epoch: int | None
) -> tf.data.Dataset:
    """One epoch that differs at each iteration (None), or all epochs from `first_epoch` on, one after the other."""
    # Keras asks for the number of batches; where a data set does not know it, its end looks like an error to Keras.
    if first_epoch is None:
        number = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
        return number.flat_map(one_epoch).apply(tf.data.experimental.assert_cardinality(num_batches))
    number = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
    endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    return number.flat_map(one_epoch).apply(endless)


def epoch_seed(seed: int, epoch: tf.Tensor) -> tf.Tensor:
    """The seed of everything that is random in an epoch, int64 [2]."""
    return tf.stack([tf.cast(seed, tf.int64), epoch])


def clip_text_encoder(config: ModelConfig, vocabulary: Vocabulary) -> Callable[[Mapping[str, tf.Tensor]], tf.Tensor]:
    """A function from the text fields of one clip (strings []) to its token ids, int32 [L].

    A model that reads no words gets padding, without a tokenizer: tracing one takes seconds for each pipeline.
    """
    if not config.has_text:
        return lambda text: tf.zeros((config.num_tokens,), tf.int32)
    encode = text_encoder(vocabulary, config.num_tokens, config.field_budgets)

    def encode_clip(text: Mapping[str, tf.Tensor]) -> tf.Tensor:
        joined = join_fields(text, config.text_fields)
        return tf.ensure_shape(encode(joined[tf.newaxis])[0], (config.num_tokens,))

    return encode_clip


def targets(
    example: Mapping[str, Any], labels: Labels, class_weights: Mapping[str, Sequence[float]] | None = None
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """The labels and the weights of one parsed clip.

    Args:
        example: The clip.
        labels: The heads that are wanted, some of those of the data set.
        class_weights: The weight of a clip by its class, for single-label heads.
    """
    values, weights = {}, {}
    for head, names in labels.items():
        stored = example["labels"][head]
        weight = tf.cast(example["labelled"][head], tf.float32)
        if head in labels.multi_label:
            values[head] = tf.reduce_max(tf.one_hot(tf.concat([stored, [-1]], 0), len(names)), axis=0)
        else:
            values[head] = tf.cast(tf.maximum(stored, 0), tf.int32)
            if class_weights and head in class_weights:
                weight *= tf.gather(tf.constant(class_weights[head], tf.float32), values[head])
        weights[head] = weight
    return values, weights
