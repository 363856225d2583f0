"""A prepared data set, opened once and handed on."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.clips.question import Question
from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.config import ModelConfig, PrepareConfig
from vidmodel_tf.errors import InputError, cause, shown
from vidmodel_tf.integrity import check_sums
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.damaged import readable
from vidmodel_tf.records.described import check_description
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.layout import CONTENT, FEATURES, INFO, check_data_set_folder
from vidmodel_tf.records.prepare_report import PrepareReport, read_report
from vidmodel_tf.records.record_files import RecordFiles
from vidmodel_tf.records.schema import labels_of, num_stored_frames_of, parse_clip
from vidmodel_tf.records.stored_clip import StoredClip, StoredClips, StoredSplit
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.video.sampling import slots_for_inference

_FOLD_SEED = 0  # all folds of a data set come from one and the same partition


@dataclasses.dataclass(frozen=True)
class StoredFrames:
    """The frames of one clip as stored: N JPEGs in display order, and their times, float32 [N], from its start."""

    jpegs: tuple[bytes, ...]
    timestamps_seconds: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet:
    """A prepared data set; `open_data_set` makes one.

    Clips are read when `clips` is first asked for, and then kept, by all data sets that come of this one. It can be
    handed to another process.

    Attributes:
        path: The folder that `prepare` made.
        features: What is stored of a clip, as TFDS declares it.
        stored_splits: The splits as they were stored.
        assigned: The split of each clip by id, in place of the stored ones; None: the stored ones are in force.
    """

    path: Path
    features: tfds.features.FeaturesDict
    stored_splits: tuple[StoredSplit, ...]
    assigned: Mapping[str, str] | None = None
    _stored: StoredClips = dataclasses.field(repr=False)

    @functools.cached_property
    def clips(self) -> tuple[StoredClip, ...]:
        """All clips in stored order, each with the split that is in force."""
        if self.assigned is None:
            return self._stored.clips
        return tuple(dataclasses.replace(clip, split=self.assigned[clip.id]) for clip in self._stored.clips)

    @functools.cached_property
    def labels(self) -> Labels:
        """The heads and their class names, by class id."""
        return labels_of(self.features)

    @property
    def num_stored_frames(self) -> int:
        """N, the stored frames of each clip; 0 for words without videos."""
        return num_stored_frames_of(self.features)

    @functools.cached_property
    def report(self) -> PrepareReport:
        """What `prepare` told about it.

        Raises:
            InputError: `prepare_report.json` is missing or was damaged.
        """
        return read_report(self.path)

    @property
    def prepare(self) -> PrepareConfig:
        """The settings by which the data set was prepared."""
        return self.report.settings

    @property
    def fingerprint(self) -> str:
        """Equal for data sets of the same video files (size and time), words, labels, splits and settings.

        The same files must have been readable. Where the data sets lie does not count.
        """
        return self.report.fingerprint

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits that have clips."""
        if self.assigned is None:
            return tuple(split.name for split in self.stored_splits)
        return tuple(dict.fromkeys(clip.split for clip in self.clips))

    def with_splits(self, splits: Mapping[str, str]) -> DataSet:
        """The same clips in other splits.

        Args:
            splits: The split of every clip, by id.

        Raises:
            InputError: A clip has none.
        """
        without = [clip.id for clip in self._stored.clips if clip.id not in splits]
        if without:
            raise InputError(f"splits: expected a split for every clip. Received: none for {shown(without)}")
        return dataclasses.replace(self, assigned=dict(splits))

    def with_fold(self, fold: tuple[int, int] | None) -> DataSet:
        """The same clips in the splits of one fold of a cross-validation; folds are grouped by source.

        Args:
            fold: `(k, n)`: the k-th (from 1) of n folds is the test split. None: the data set as it is.

        Raises:
            InputError: There is no such fold, or there are too few sources for n folds.
        """
        if fold is None:
            return self
        k, n = fold
        if not 1 <= k <= n or n < 2:
            raise InputError(f"fold: expected K/N with N of at least 2 and K from 1 to N. Received: {k}/{n}")
        return self.with_splits(assign_folds(self.clips, num_folds=n, seed=_FOLD_SEED)[k - 1])

    def in_split(self, split: str) -> tuple[StoredClip, ...]:
        """The clips of a split, in stored order; none where there is no such split."""
        return tuple(clip for clip in self.clips if clip.split == split)

    def count(self, split: str) -> int:
        """The number of clips in a split; 0 where there is no such split."""
        if self.assigned is None:  # known without reading the clips
            return sum(stored.num_clips for stored in self.stored_splits if stored.name == split)
        return len(self.in_split(split))

    @property
    def split_to_measure(self) -> str:
        """The test split; where it has no clips the validation split, and the training split where that has none."""
        return next(name for name in ("test", "validation", "train") if self.count(name))

    def records(self, split: str) -> RecordFiles:
        """The files in which a split is stored.

        Raises:
            InputError: The split has no clips.
        """
        if not self.count(split):
            raise InputError(f"{self.path} has no clips in the split {split!r}; it has: {', '.join(self.split_names)}")
        if self.assigned is None:
            return RecordFiles(_one_column(stored for stored in self.stored_splits if stored.name == split))
        ids = sorted(clip.id for clip in self.in_split(split))
        return RecordFiles(_one_column(self.stored_splits), tuple(ids))

    def slots(self, num_frames: int) -> np.ndarray:
        """Which of the N stored frames a model of `num_frames` (T) frames reads, int64 [T].

        Raises:
            InputError: T does not divide N, or there are words without videos.
        """
        if not self.num_stored_frames:
            raise InputError(
                f"{self.path} holds words without videos: expected model.branches=text. "
                f"Received: a model of {num_frames} frames"
            )
        return slots_for_inference(self.num_stored_frames, num_frames)

    def frames(self, split: str) -> Iterator[tuple[StoredClip, StoredFrames]]:
        """Each clip of a split with its N stored frames, in stored order.

        Raises:
            InputError: The split has no clips, or a record is damaged.
        """
        by_id = {clip.id: clip for clip in self.in_split(split)}
        names = ("id", "frames", "timestamps_seconds")
        features = tfds.features.FeaturesDict({name: self.features[name] for name in names})
        examples = (
            self.records(split)
            .in_order()
            .map(lambda record: parse_clip(features, record[0]), num_parallel_calls=tf.data.AUTOTUNE)
        )
        examples = fixed_parallelism(examples.prefetch(tf.data.AUTOTUNE))
        for example in readable(examples.as_numpy_iterator(), self.path):
            stored = StoredFrames(tuple(example["frames"]), example["timestamps_seconds"])
            yield by_id[example["id"].decode()], stored

    def questions(self, split: str, config: ModelConfig) -> Iterator[tuple[StoredClip, Question]]:
        """Each clip of a split, and what a model is asked about it, in stored order.

        Args:
            split: Its name.
            config: The model's settings: how many frames and which text fields it reads.

        Raises:
            InputError: The split has no clips, or the stored frames do not fit the model.
        """
        if not config.has_frames:
            self.records(split)  # the same error where there are none
            for clip in self.in_split(split):
                yield clip, Question(clip.id, (), join_fields(clip.text, config.text_fields))
            return
        slots = self.slots(config.num_frames)
        for clip, stored in self.frames(split):
            jpegs = tuple(stored.jpegs[slot] for slot in slots)
            yield clip, Question(clip.id, jpegs, join_fields(clip.text, config.text_fields))

    def one_question_a_clip(self, split: str, config: ModelConfig) -> Iterator[tuple[StoredClip, Question]]:
        """As `questions`, but of several about the same frames one: of the k-th clip the k-th, so that they differ.

        Args:
            split: Its name.
            config: The model's settings.

        Raises:
            InputError: As in `questions`.
        """
        groups = itertools.groupby(self.questions(split, config), key=lambda asked: asked[0].footage)
        for number, (_, asked) in enumerate(groups):
            of_one_clip = list(asked)
            yield of_one_clip[number % len(of_one_clip)]


def open_data_set(path: str | Path) -> DataSet:
    """Opens a prepared data set.

    Raises:
        InputError: The folder is no data set that `prepare` has finished, or was damaged.
    """
    path = Path(path)
    check_data_set_folder(path)
    check_sums(path, CONTENT)
    check_description(path)
    try:
        info = tfds.builder_from_directory(path).info
    except Exception as error:  # of a damaged file TFDS raises whatever its own code stumbles over
        raise InputError(
            f"its {FEATURES} or {INFO} cannot be read: {cause(error)}; fetch it again, or make it anew with "
            "`vidmodel prepare`",
            subject=path,
        ) from None
    missing = {"id", "frames", "text", "labels", "labelled", "source"} - set(info.features)
    if missing:
        raise InputError(
            f"{path} is a TFDS data set, but not one that `vidmodel prepare` has made: "
            f"it lacks the features {', '.join(sorted(missing))}"
        )
    splits = tuple(
        StoredSplit(name, tuple(str(file) for file in split.filepaths), split.num_examples)
        for name, split in info.splits.items()
    )
    return DataSet(
        path=path, features=info.features, stored_splits=splits, _stored=StoredClips(path, info.features, splits)
    )


def _one_column(splits: Iterable[StoredSplit]) -> tuple[tuple[str], ...]:
    return tuple((path,) for stored in splits for path in stored.paths)
