"""What is stored of a clip, declared once: clips are written and read by it, and TFDS publishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.clips.clip import Clip, Label
from vidmodel_tf.clips.clip_request import DecodedClip
from vidmodel_tf.config import MODEL_FIELDS, TEXT_FIELDS
from vidmodel_tf.labels import Labels

UNLABELLED = -1  # the class id of a clip that is not labelled for a single-label head


def example_features(
    labels: Labels, num_stored_frames: int, *, has_questions: bool = False
) -> tfds.features.FeaturesDict:
    """The features of one clip.

    Args:
        labels: The heads and their classes.
        num_stored_frames: N.
        has_questions: Whether anything is asked about any clip. Where nothing is, data sets are what they were before
            there were questions.

    Returns:
        `id`; `frames`, N JPEGs in display order; `timestamps_seconds` [N]; `text` {field: string} and `words_from`
        {field: where its words came from}, both "" where there are no words;
        `labels` {head: class id, -1 where missing; for a multi-label head a sequence of class ids};
        `labelled` {head: bool}, which tells an empty sequence of classes ("none of them") from a missing label;
        `source`; `duration_seconds`; `fps`.
    """
    features, fields = tfds.features, MODEL_FIELDS if has_questions else TEXT_FIELDS
    return features.FeaturesDict(
        {
            "id": features.Text(),
            "frames": features.Sequence(features.Image(encoding_format="jpeg"), length=num_stored_frames),
            "timestamps_seconds": features.Tensor(shape=(num_stored_frames,), dtype=np.float32),
            "text": features.FeaturesDict({field: features.Text() for field in fields}),
            "words_from": features.FeaturesDict({field: features.Text() for field in fields}),
            "labels": features.FeaturesDict({head: _label_feature(labels, head) for head in labels}),
            "labelled": features.FeaturesDict({head: features.Scalar(np.bool_) for head in labels}),
            "source": features.Text(),
            "duration_seconds": features.Scalar(np.float32),
            "fps": features.Scalar(np.float32),
        }
    )


def _label_feature(labels: Labels, head: str) -> tfds.features.FeatureConnector:
    class_label = tfds.features.ClassLabel(names=labels[head])
    return tfds.features.Sequence(class_label) if head in labels.multi_label else class_label


def serialize_clip(features: tfds.features.FeaturesDict, clip: Clip, decoded: DecodedClip) -> bytes:
    """One clip as a serialized `tf.train.Example`."""
    example = {
        "id": clip.id,
        "frames": [BytesIO(jpeg) for jpeg in decoded.jpeg_frames],  # as BytesIO the JPEG bytes are stored as they are
        "timestamps_seconds": np.asarray(decoded.timestamps_seconds, np.float32),
        "text": {field: clip.text.get(field, "") for field in features["text"]},
        "words_from": {field: clip.words_from.get(field, "") for field in features["words_from"]},
        "labels": {head: _stored_label(features["labels"][head], label) for head, label in clip.labels.items()},
        "labelled": {head: label is not None for head, label in clip.labels.items()},
        "source": clip.source,
        "duration_seconds": decoded.duration_seconds,
        "fps": decoded.fps,
    }
    return serialize_example(features, example)


def serialize_example(features: tfds.features.FeaturesDict, example: Mapping[str, Any]) -> bytes:
    """Values by name as a serialized `tf.train.Example`, which is the same in each process: its names are sorted."""
    record = features.serialize_example(features.encode_example(example))
    return tf.train.Example.FromString(record).SerializeToString(deterministic=True)


def _stored_label(feature: tfds.features.FeatureConnector, label: Label) -> Label | list[str] | int:
    if isinstance(feature, tfds.features.Sequence):
        return list(label or ())
    return UNLABELLED if label is None else label


def parse_clip(features: tfds.features.FeaturesDict, serialized: tf.Tensor) -> dict[str, Any]:
    """The inverse of `serialize_clip`, as tensors; the frames stay JPEG bytes, to be decoded only where needed."""
    return features.deserialize_example(serialized, decoders={"frames": tfds.decode.SkipDecoding()})


def without_frames(features: tfds.features.FeaturesDict) -> tfds.features.FeaturesDict:
    """All features of a clip but its frames and their times; with them a record is read without copying its JPEGs."""
    kept = {name: feature for name, feature in features.items() if name not in ("frames", "timestamps_seconds")}
    return tfds.features.FeaturesDict(kept)


def labels_of(features: tfds.features.FeaturesDict) -> Labels:
    """The heads and class names that the features declare."""
    names: dict[str, Sequence[str]] = {}
    multi_label = []
    # Sorted: TFDS gives them back in another order in each process, and initial weights are drawn in this one.
    for head, feature in sorted(features["labels"].items()):
        if isinstance(feature, tfds.features.Sequence):
            multi_label.append(head)
            feature = feature.feature
        names[head] = feature.names
    return Labels(names, multi_label)


def num_stored_frames_of(features: tfds.features.FeaturesDict) -> int:
    """N."""
    return features["timestamps_seconds"].shape[0]
