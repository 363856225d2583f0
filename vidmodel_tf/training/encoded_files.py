"""Clips with the outputs of a frozen CNN in place of frames, from the feature cache of a data set.

The CNN encodes each clip once for each stream and view, whatever the epochs, folds and seeds. The cache lies under the
data set (`data/NAME/features/KEY/VIEW/`), shard by shard beside the records that it was made from; KEY stands for all
that the numbers depend on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.build import stream_names
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.record_files import RecordFiles
from vidmodel_tf.records.schema import without_frames
from vidmodel_tf.storage import write_json
from vidmodel_tf.training.encode_shards import STORED_NAME, Example, View, encode_shards, encoded_schema
from vidmodel_tf.user_cache import place_for


@dataclasses.dataclass(frozen=True)
class EncodedFiles:
    """The encoded clips of a split; for a model without frames, the stored clips as they are.

    Attributes:
        records: The files. A record is a string [views * streams]: the streams of the first view, then of the next.
        schema: The features of one stored example.
        num_streams: Streams side by side; 0 for a model without frames.
        num_clips: Clips in the split.
    """

    records: RecordFiles
    schema: tfds.features.FeaturesDict
    num_streams: int
    num_clips: int

    @property
    def clip_bytes(self) -> int:
        """The memory that the encodings of a clip take, in all views and streams."""
        if not self.num_streams:
            return 0
        shape = self.schema[STORED_NAME].shape
        return len(self.records.paths[0]) * math.prod(shape) * np.dtype(np.float32).itemsize

    def num_views(self, record: tf.Tensor) -> tf.Tensor:
        """The number of views of a clip, int32 []."""
        return tf.shape(record)[0] // max(self.num_streams, 1)

    def parse(self, record: tf.Tensor, view: int | tf.Tensor) -> tuple[Example, tf.Tensor | None]:
        """One view of a clip: what is stored of it beside frames, and its encodings.

        Returns:
            The example, and float32 [T, ..., S * F], the streams side by side; None for a model without frames.
        """
        if not self.num_streams:
            return self.schema.deserialize_example(record[0]), None
        first = view * self.num_streams
        streams = [self.schema.deserialize_example(record[first + stream]) for stream in range(self.num_streams)]
        encodings = tf.concat([example.pop(STORED_NAME) for example in streams], axis=-1)
        return streams[0], encodings


def stored_files(data: DataSet, split: str) -> EncodedFiles:
    """The clips of a split for a model without frames, for which nothing is encoded."""
    return EncodedFiles(data.records(split), without_frames(data.features), 0, data.count(split))


def encoded_files(
    data: DataSet, split: str, cnn: keras.Model, config: ModelConfig, *, views: Sequence[View], hosts: Hosts = ALONE
) -> EncodedFiles:
    """The clips of a split as a CNN encodes them; those that the cache lacks are encoded first.

    Args:
        data: A prepared data set.
        split: Its name.
        cnn: The backbone with the weights that `config` names, or its lower part (`cut.split_backbone`).
        config: The model's settings.
        views: "plain", "mirrored" or both.
        hosts: The machines that share the work; of what the cache lacks, this one encodes its part.

    Raises:
        InputError: The split has no clips, or the stored frames do not fit the model.
    """
    files = data.records(split)
    shards = [Path(shard) for (shard,) in files.paths]
    folders = []
    for stream in stream_names(config):
        one_stream = dataclasses.replace(config, streams=stream)
        folder = cache_folder(data, one_stream, cnn)
        encode_shards(folder, hosts.mine(shards), views, data, one_stream, cnn)
        folders.append(folder)
    columns = tuple(tuple(str(folder / view / shard.name) for view in views for folder in folders) for shard in shards)
    schema = encoded_schema(data, config, cnn)
    return EncodedFiles(RecordFiles(columns, files.ids), schema, len(folders), data.count(split))


def cache_folder(data: DataSet, config: ModelConfig, cnn: keras.Model) -> Path:
    """The folder of one stream, `config.streams`, in the cache of a data set; made, with its key, where missing.

    Of a data set that cannot be written and has no such folder, it lies in the user's cache.
    """
    key = _key(config, cnn)
    name = f"features/{hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]}"
    folder = data.path / name
    if not (folder / "key.json").exists():
        folder = place_for(data.path, name, data.fingerprint)
        write_json(folder / "key.json", key)
    return folder


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
