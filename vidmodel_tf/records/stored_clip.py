"""What is stored about each clip of a prepared data set, all but its frames."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.clips.clip import Label, footage_id
from vidmodel_tf.config import QUESTION, TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.damaged import readable
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.layout import INFO
from vidmodel_tf.records.record_lengths import check_record_lengths
from vidmodel_tf.records.schema import labels_of, without_frames


@dataclasses.dataclass(frozen=True)
class StoredClip:
    """A clip of a prepared data set; labels as in `vidmodel_tf.clips.clip.Clip`.

    Attributes:
        id: Unique in its data set.
        split: The split in force: the stored one, or that of a fold (`DataSet.with_fold`).
        source: Clips of one source are never in two splits.
        text: The words, every name in `config.TEXT_FIELDS`, "" where there are none; and `config.QUESTION` where one is
            asked.
        words_from: Where the words of each field came from, as in `vidmodel_tf.clips.clip.Clip`; "" where there are
            none, and in data sets that were prepared before this was stored.
        labels: By head; None where the clip is not labelled.
        duration_seconds: Of the clip; 0 for words without a video.
        fps: Frames a second of the video that it was read from; 0 for words without a video.
    """

    id: str
    split: str
    source: str
    text: dict[str, str]
    words_from: dict[str, str]
    labels: dict[str, Label]
    duration_seconds: float
    fps: float

    @property
    def footage(self) -> str:
        """Equal for clips with the same frames: the id without what is asked about it."""
        return footage_id(self.id, self.text.get(QUESTION, ""))


@dataclasses.dataclass(frozen=True)
class StoredSplit:
    """A split as `prepare` wrote it: its name, its TFRecord files and how many clips they hold."""

    name: str
    paths: tuple[str, ...]
    num_clips: int


@dataclasses.dataclass(frozen=True)
class StoredClips:
    """All clips of a data set, read when first asked for, and once."""

    path: Path
    features: tfds.features.FeaturesDict
    splits: Sequence[StoredSplit]

    @functools.cached_property
    def clips(self) -> tuple[StoredClip, ...]:
        """The clips, split by split, in stored order.

        Raises:
            InputError: A record is damaged, or there are more or fewer clips than were stored.
        """
        return tuple(clip for split in self.splits for clip in self._read(split))

    def _read(self, split: StoredSplit) -> list[StoredClip]:
        labels = labels_of(self.features)
        check_record_lengths(split.paths)
        examples = _examples(without_frames(self.features), split.paths)
        clips = list(readable((_stored_clip(example, split.name, labels) for example in examples), self.path))
        if len(clips) != split.num_clips:
            raise InputError(
                f"expected {split.num_clips} clips in the split {split.name!r}, as {INFO} says. "
                f"Received: {len(clips)}; fetch the data set again, or make it anew with `vidmodel prepare`",
                subject=self.path,
            )
        return clips


def _examples(features: tfds.features.FeaturesDict, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    records = tf.data.TFRecordDataset(list(paths))
    examples = records.map(features.deserialize_example, num_parallel_calls=tf.data.AUTOTUNE)
    return fixed_parallelism(examples.prefetch(tf.data.AUTOTUNE)).as_numpy_iterator()


def _stored_clip(example: Mapping[str, Any], split: str, labels: Labels) -> StoredClip:
    return StoredClip(
        id=example["id"].decode(),
        split=split,
        source=example["source"].decode(),
        text=_by_field(example["text"]),
        words_from=_by_field(example.get("words_from", {})),
        labels={head: _label(example, head, labels) for head in labels},
        duration_seconds=float(example["duration_seconds"]),
        fps=float(example["fps"]),
    )


def _by_field(stored: Mapping[str, bytes]) -> dict[str, str]:
    question = {QUESTION: stored[QUESTION].decode()} if stored.get(QUESTION) else {}
    return {field: stored.get(field, b"").decode() for field in TEXT_FIELDS} | question


def _label(example: Mapping[str, Any], head: str, labels: Labels) -> Label:
    if not example["labelled"][head]:
        return None
    ids = example["labels"][head]
    if head in labels.multi_label:
        return tuple(labels[head][i] for i in ids)
    return labels[head][ids]
