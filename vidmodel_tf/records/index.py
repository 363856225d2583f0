"""What each stored clip says of itself, all but its frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.labels import Labels
from vidmodel_tf.records.schema import labels_of, open_data_set, parse_clip


@dataclasses.dataclass(frozen=True)
class StoredClip:
    """A clip of a prepared data set; labels as in `vidmodel_tf.clips.clip.Clip`."""

    id: str
    split: str
    source: str
    text: dict[str, str]
    labels: dict[str, str | tuple[str, ...] | None]
    duration_seconds: float
    fps: float


def read_index(data_dir: str | Path) -> list[StoredClip]:
    """All stored clips, split by split, in stored order.

    Raises:
        InputError: The folder is no prepared data set.
    """
    builder = open_data_set(data_dir)
    features = builder.info.features
    labels = labels_of(features)
    rows = []
    for split, info in builder.info.splits.items():
        for example in _examples_without_frames(features, [str(path) for path in info.filepaths]):
            rows.append(_stored_clip(example, split, labels))
    return rows


def clips_of(clips: Sequence[StoredClip], split: str, splits: Mapping[str, str] | None = None) -> list[StoredClip]:
    """The clips of a split; `splits`, by clip id, takes the place of the stored splits."""
    return [clip for clip in clips if (splits or {}).get(clip.id, clip.split) == split]


def _examples_without_frames(features: tfds.features.FeaturesDict, paths: list[str]):
    def parse(serialized):
        example = parse_clip(features, serialized)
        return {key: value for key, value in example.items() if key not in ("frames", "timestamps_seconds")}

    return tf.data.TFRecordDataset(paths).map(parse).prefetch(4).as_numpy_iterator()


def _stored_clip(example: dict[str, Any], split: str, labels: Labels) -> StoredClip:
    return StoredClip(
        id=example["id"].decode(),
        split=split,
        source=example["source"].decode(),
        text={field: value.decode() for field, value in example["text"].items()},
        labels={head: _label(example, head, labels) for head in labels},
        duration_seconds=float(example["duration_seconds"]),
        fps=float(example["fps"]),
    )


def _label(example: dict[str, Any], head: str, labels: Labels) -> str | tuple[str, ...] | None:
    if not example["labelled"][head]:
        return None
    ids = example["labels"][head]
    if head in labels.multi_label:
        return tuple(labels[head][i] for i in ids)
    return labels[head][ids]
