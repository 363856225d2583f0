"""The feature cache: the frozen backbone sees each clip once for each view, whatever the number of epochs and folds.

It lives under the data set (`data/NAME/features/KEY/`), shard by shard beside the records that it was made from.
The key says all that the numbers depend on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.atomic import atomic_write, write_json
from vidmodel_tf.clips.sampling import slots_for_inference
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.progress import track
from vidmodel_tf.records.frames import decode_frames
from vidmodel_tf.records.pipeline import RecordFiles, Splits, record_files
from vidmodel_tf.records.schema import num_stored_frames_of, open_data_set, parse_clip

View = Literal["plain", "mirrored"]

_ENCODED_CLIPS = 4  # a batch; more would not be faster on a CPU and take more memory


def cached_features(
    data_dir: str | Path,
    split: str,
    frame_encoder: keras.Model,
    config: ModelConfig,
    *,
    views: Sequence[View],
    splits: Splits | None = None,
) -> RecordFiles:
    """The split with `backbone_output` float32 [T, C] in place of frames; what is missing is computed first.

    Args:
        data_dir: A prepared data set.
        split: Its name.
        frame_encoder: The model's "frame_encoder", with the backbone's weights as `config` names them.
        config: The model's settings.
        views: "plain", "mirrored" or both.
        splits: Takes the place of the stored splits.
    """
    files = record_files(data_dir, split, splits)
    folder = Path(data_dir) / "features" / _write_key(Path(data_dir), config)
    wanted = [(Path(shard), view) for (shard,) in files.paths for view in views]
    missing = [(shard, view) for shard, view in wanted if not (folder / view / shard.name).exists()]
    if missing:
        encode = tf.function(
            frame_encoder, input_signature=[tf.TensorSpec((None, *frame_encoder.input_shape[1:]), tf.uint8)]
        )
        for shard, view in track(missing, "backbone", len(missing)):
            _cache_shard(data_dir, shard, folder / view / shard.name, view, encode, config)
    paths = tuple(tuple(str(folder / view / Path(shard).name) for view in views) for (shard,) in files.paths)
    return RecordFiles(paths, files.ids)


def _write_key(data_dir: Path, config: ModelConfig) -> str:
    key = {
        "backbone": config.backbone,
        "weights": _weights_identity(config.weights),
        "num_frames": config.num_frames,
        "height": config.height,
        "width": config.width,
        "streams": config.streams,
        "motion_gain": config.motion_gain if config.streams != "appearance" else None,
        "precision": config.precision,
    }
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    write_json(data_dir / "features" / name / "key.json", key)
    return name


def _weights_identity(weights: str) -> str:
    path = Path(weights)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else weights


def feature_schema(
    features: tfds.features.FeaturesDict, num_frames: int, num_channels: int
) -> tfds.features.FeaturesDict:
    """The stored example with the backbone's output [T, C] in place of the frames."""
    kept = {name: feature for name, feature in features.items() if name not in ("frames", "timestamps_seconds")}
    output = tfds.features.Tensor(shape=(num_frames, num_channels), dtype=np.float32)
    return tfds.features.FeaturesDict({**kept, "backbone_output": output})


def _cache_shard(data_dir, shard: Path, target: Path, view: View, encode, config: ModelConfig) -> None:
    features = open_data_set(data_dir).info.features
    with atomic_write(target) as beside, tf.io.TFRecordWriter(str(beside)) as writer:
        for example in _encoded_examples(shard, features, view, encode, config):
            schema = feature_schema(features, *example["backbone_output"].shape)
            writer.write(schema.serialize_example(schema.encode_example(example)))


def _encoded_examples(shard: Path, features, view: View, encode, config: ModelConfig) -> Iterator[dict[str, Any]]:
    slots = slots_for_inference(num_stored_frames_of(features), config.num_frames)

    def to_frames(record: tf.Tensor):
        example = parse_clip(features, record)
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
    outputs_BxTxC = encode(np.stack([frames for _, frames in clips])).numpy().astype(np.float32)
    for (example, _), output in zip(clips, outputs_BxTxC, strict=True):
        yield {**example, "backbone_output": output}
