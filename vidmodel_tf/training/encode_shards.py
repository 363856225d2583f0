"""Records of clips -> records with their encodings by a CNN in place of frames, shard by shard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.backend.compiled import Infer, compiled
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.integrity import atomic_write_with_sum, is_whole
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.progress import track
from vidmodel_tf.records.damaged import readable
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.records.schema import parse_clip, serialize_example, without_frames
from vidmodel_tf.storage import remove_leftovers

View = Literal["plain", "mirrored"]
Example = dict[str, Any]  # a stored clip, parsed

# The name of the encodings in the records of a cache, also of activations at a cut. Renaming it would invalidate all
# existing caches.
STORED_NAME = "backbone_output"

_BATCH_SIZE = 4  # clips with frames of their own; more would not be faster on a CPU and take more memory


def encoded_schema(data: DataSet, config: ModelConfig, cnn: keras.Model) -> tfds.features.FeaturesDict:
    """The features of an encoded clip, for one stream: those of the stored clip without frames, and its encodings."""
    encodings = tfds.features.Tensor(shape=(config.num_frames, *cnn.output_shape[1:]), dtype=np.float32)
    return tfds.features.FeaturesDict({**without_frames(data.features), STORED_NAME: encodings})


def encode_shards(
    folder: Path,
    shards: Sequence[Path],
    views: Sequence[View],
    data: DataSet,
    config: ModelConfig,
    cnn: keras.Model,
) -> None:
    """Writes `FOLDER/VIEW/SHARD` for each view of each shard, where it is missing or damaged.

    Args:
        folder: Of the cache, for one stream and one CNN.
        shards: Files of the data set.
        views: "plain", "mirrored" or both.
        data: The data set that the shards belong to.
        config: The model's settings, with a single stream.
        cnn: Scaled images [B, H, W, 3] to float32 [B, ..., F].
    """
    for view in views:
        remove_leftovers(folder / view)
    missing: list[tuple[Path, View]] = [
        (shard, view) for shard in shards for view in views if not is_whole(folder / view / shard.name)
    ]
    if not missing:
        return
    encoder, schema = build_frame_encoder(config, cnn), encoded_schema(data, config, cnn)
    encode = compiled(encoder)
    for shard, view in track(missing, f"backbone, {config.streams}", len(missing)):
        with atomic_write_with_sum(folder / view / shard.name) as beside, tf.io.TFRecordWriter(str(beside)) as writer:
            clips = _share_frames(_read_clips(shard, view, data, config))
            for batch in iter(lambda clips=clips: list(itertools.islice(clips, _BATCH_SIZE)), []):
                for example in _encode(batch, encode):
                    writer.write(serialize_example(schema, example))


def _read_clips(shard: Path, view: View, data: DataSet, config: ModelConfig) -> Iterator[tuple[Example, np.ndarray]]:
    """Each clip without its frames, and these, uint8 [T, H, W, 3]."""
    slots = data.slots(config.num_frames)

    def to_frames(record: tf.Tensor):
        example = parse_clip(data.features, record)
        frames = decode_frames(tf.gather(example.pop("frames"), slots), config.height, config.width)
        del example["timestamps_seconds"]
        return example, frames[:, :, ::-1] if view == "mirrored" else frames

    records = tf.data.TFRecordDataset(str(shard)).map(to_frames, num_parallel_calls=tf.data.AUTOTUNE)
    return readable(fixed_parallelism(records.prefetch(_BATCH_SIZE)).as_numpy_iterator(), shard)


def _share_frames(clips: Iterator[tuple[Example, np.ndarray]]) -> Iterator[tuple[list[Example], np.ndarray]]:
    """Joins neighbours with the same frames: questions about one clip are stored side by side."""
    examples, last = [], None
    for example, frames in clips:
        if last is not None and not np.array_equal(frames, last):
            yield examples, last
            examples = []
        examples, last = [*examples, example], frames
    if last is not None:
        yield examples, last


def _encode(clips: list[tuple[list[Example], np.ndarray]], encode: Infer) -> Iterator[Example]:
    encodings = encode(np.stack([frames for _, frames in clips]))
    for (examples, _), clip_encodings in zip(clips, encodings, strict=True):
        yield from ({**example, STORED_NAME: clip_encodings} for example in examples)
