"""The feature cache: the frozen CNN sees each clip once for each stream and view, whatever the epochs, folds and seeds.

It lives under the data set (`data/NAME/features/KEY/VIEW/`), shard by shard beside the records that it was made from.
The key says all that the numbers depend on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.build import build_frame_encoder, stream_names
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.records.record_files import RecordFiles
from vidmodel_tf.records.schema import parse_clip, without_frames
from vidmodel_tf.storage import atomic_write, write_json

View = Literal["plain", "mirrored"]

_ENCODED_CLIPS = 4  # a batch; more would not be faster on a CPU and take more memory


@dataclasses.dataclass(frozen=True)
class FeatureFiles:
    """Clips with what a CNN said of them in place of frames; where a model has no frames, the stored clips as they are.

    A record is a string [views * streams], view by view.
    """

    records: RecordFiles
    schema: tfds.features.FeaturesDict
    num_streams: int

    @property
    def clip_bytes(self) -> int:
        """What a record takes in memory for its features, all views and streams."""
        if not self.num_streams:
            return 0
        shape = self.schema["backbone_output"].shape
        return len(self.records.paths[0]) * math.prod(shape) * np.dtype(np.float32).itemsize

    def num_views(self, record: tf.Tensor) -> tf.Tensor:
        """The views that there are of a clip, int32 []."""
        return tf.shape(record)[0] // max(self.num_streams, 1)

    def parse(self, record: tf.Tensor, view: int | tf.Tensor) -> dict[str, Any]:
        """One view of a clip; its `backbone_output` is [T, ..., S * F], the streams side by side."""
        if not self.num_streams:
            return self.schema.deserialize_example(record[0])
        first = view * self.num_streams
        streams = [self.schema.deserialize_example(record[first + stream]) for stream in range(self.num_streams)]
        outputs = [example["backbone_output"] for example in streams]
        return {**streams[0], "backbone_output": tf.concat(outputs, axis=-1)}


def cached_features(
    data: DataSet,
    split: str,
    cnn: keras.Model | None,
    config: ModelConfig,
    *,
    views: Sequence[View],
) -> FeatureFiles:
    """A split with a CNN's outputs in place of frames; what is not in the cache is computed first.

    Args:
        data: A prepared data set.
        split: Its name.
        cnn: The backbone with the weights that `config` names, or its lower part (`cut.split_backbone`); None for a
            model of words alone.
        config: The model's settings.
        views: "plain", "mirrored" or both.
    """
    files = data.records(split)
    if cnn is None:
        return FeatureFiles(files, without_frames(data.features), 0)
    schema = _schema(data.features, (config.num_frames, *cnn.output_shape[1:]))
    shards = [Path(shard) for (shard,) in files.paths]
    folders = []
    for stream in stream_names(config):
        one_stream = dataclasses.replace(config, streams=stream)
        key = _key(one_stream, cnn)
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        folders.append(data.path / "features" / name)
        missing = [
            (shard, view) for shard in shards for view in views if not (folders[-1] / view / shard.name).exists()
        ]
        if missing:
            write_json(folders[-1] / "key.json", key)
            _fill(folders[-1], missing, schema, data, one_stream, cnn)
    paths = tuple(tuple(str(folder / view / shard.name) for view in views for folder in folders) for shard in shards)
    return FeatureFiles(RecordFiles(paths, files.ids), schema, len(folders))


def _schema(features: tfds.features.FeaturesDict, output_shape: tuple[int, ...]) -> tfds.features.FeaturesDict:
    output = tfds.features.Tensor(shape=output_shape, dtype=np.float32)
    return tfds.features.FeaturesDict({**without_frames(features), "backbone_output": output})


def _key(config: ModelConfig, cnn: keras.Model) -> dict[str, Any]:
    return {
        "backbone": config.backbone,
        "weights": _weights_identity(config.weights),
        "cnn": cnn.name,  # not a layer's name: those that Keras gives count up with each model that is built
        "num_frames": config.num_frames,
        "height": config.height,
        "width": config.width,
        "stream": config.streams,
        "motion_gain": config.motion_gain if config.streams == "motion" else None,
        "precision": config.precision,
    }


def _weights_identity(weights: str) -> str:
    path = Path(weights)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else weights


def _fill(
    folder: Path,
    missing: Sequence[tuple[Path, View]],
    schema: tfds.features.FeaturesDict,
    data: DataSet,
    config: ModelConfig,
    cnn: keras.Model,
) -> None:
    encoder = build_frame_encoder(config, cnn)
    encode = tf.function(encoder, input_signature=[tf.TensorSpec((None, *encoder.input_shape[1:]), tf.uint8)])
    for shard, view in track(missing, f"backbone, {config.streams}", len(missing)):
        with atomic_write(folder / view / shard.name) as beside, tf.io.TFRecordWriter(str(beside)) as writer:
            for example in _encoded_examples(shard, data, view, encode, config):
                writer.write(schema.serialize_example(schema.encode_example(example)))


def _encoded_examples(shard: Path, data: DataSet, view: View, encode, config: ModelConfig) -> Iterator[dict[str, Any]]:
    slots = data.slots(config.num_frames)

    def to_frames(record: tf.Tensor):
        example = parse_clip(data.features, record)
        frames = decode_frames(tf.gather(example.pop("frames"), slots), config.height, config.width)
        del example["timestamps_seconds"]
        return example, frames[:, :, ::-1] if view == "mirrored" else frames

    clips = tf.data.TFRecordDataset(str(shard)).map(to_frames, num_parallel_calls=tf.data.AUTOTUNE)
    waiting: list[tuple[dict[str, Any], np.ndarray]] = []
    for example, frames in clips.prefetch(_ENCODED_CLIPS).as_numpy_iterator():
        waiting.append((example, frames))
        if len(waiting) == _ENCODED_CLIPS:
            yield from _encode_batch(waiting, encode)
            waiting = []
    if waiting:
        yield from _encode_batch(waiting, encode)


def _encode_batch(clips: list[tuple[dict[str, Any], np.ndarray]], encode) -> Iterator[dict[str, Any]]:
    outputs = encode(np.stack([frames for _, frames in clips])).numpy().astype(np.float32)
    for (example, _), output in zip(clips, outputs, strict=True):
        yield {**example, "backbone_output": output}
