"""What `prepare` is going to write: which clip into which split and which shard. Nothing is decoded or written here."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.manifest.read import Manifest
from vidmodel_tf.clips.splits.assign import SPLITS, assign_splits
from vidmodel_tf.config import PrepareConfig, to_mapping
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.schema import example_features
from vidmodel_tf.remote.store import RemoteFile
from vidmodel_tf.words.source import obeyed_settings, unused_settings

CLIPS_PER_SHARD = 32  # what a kill may cost: at most this many clips are decoded again


@dataclasses.dataclass(frozen=True)
class Shard:
    """A unit of work: a TFRecord file of some clips of one split. It depends on nothing else, so any process may do it.

    Attributes:
        split: Its name.
        number: From 0, within the split.
        clips: In the order in which they are stored; questions about the same frames stand side by side.
        labels: The heads and classes of the whole data set.
        config: How clips are stored.
        has_questions: Whether anything is asked about any clip of the whole data set.
    """

    split: str
    number: int
    clips: tuple[Clip, ...]
    labels: Labels
    config: PrepareConfig
    has_questions: bool = False

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return f"{self.split}-{self.number:05d}"

    @property
    def features(self) -> tfds.features.FeaturesDict:
        """What is stored of each clip."""
        has_videos = self.clips[0].path is not None
        num_stored_frames = self.config.num_stored_frames if has_videos else 0
        return example_features(self.labels, num_stored_frames, has_questions=self.has_questions)

    def footage(self) -> Iterator[tuple[Clip, ...]]:
        """The clips, those with the same frames together."""
        for _, clips in itertools.groupby(self.clips, key=lambda clip: clip.footage):
            yield tuple(clips)

    def requests(self) -> Iterator[ClipRequest]:
        """What to decode, once for all questions about it.

        Nothing for words without videos, nor for clips that are refused already.
        """
        for clip, *_ in self.footage():
            if clip.path is not None and clip.fault is None:
                yield ClipRequest(
                    path=clip.path,
                    num_frames=self.config.num_stored_frames,
                    short_side=self.config.short_side,
                    jpeg_quality=self.config.jpeg_quality,
                    start_seconds=clip.start_seconds,
                    end_seconds=clip.end_seconds,
                )


@dataclasses.dataclass(frozen=True)
class Plan:
    """A data set that is to be written.

    Attributes:
        source: The folder or manifest, as the user wrote it.
        manifest: The clips of it.
        config: How they are stored.
        splits: The split of each clip, by id.
        warnings: Of the manifest and of the splits, one line each.
        shards: All files to write, split by split.
        fingerprint: Equal for the same video files (size and time), words, labels, splits and settings.
    """

    source: str
    manifest: Manifest
    config: PrepareConfig
    splits: Mapping[str, str]
    warnings: tuple[str, ...]
    shards: tuple[Shard, ...]
    fingerprint: str


def plan_data_set(source: str, manifest: Manifest, config: PrepareConfig) -> Plan:
    """Decides everything that does not need a video to be decoded.

    Raises:
        InputError: There are too few sources for the splits.
    """
    splits, warnings = assign_splits(
        manifest.clips,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        seed=config.seed,
    )
    if not manifest.has_videos:
        warnings = [*warnings, "no column 'path': words without videos, for models with branches=text"]
    return Plan(
        source=source,
        manifest=manifest,
        config=config,
        splits=splits,
        warnings=(*manifest.warnings, *warnings),
        shards=tuple(_shards(manifest, splits, config)),
        fingerprint=_fingerprint(manifest, splits, config),
    )


def _shards(manifest: Manifest, splits: Mapping[str, str], config: PrepareConfig) -> Iterator[Shard]:
    """Clips in an order mixed by the seed, so that a small shuffle window is enough when training.

    Those with the same frames stay together, so that these are decoded once, and encoded once.
    """
    has_questions = any(clip.question for clip in manifest.clips)
    for split in SPLITS:
        members = _by_footage(clip for clip in manifest.clips if splits[clip.id] == split)
        order = np.random.default_rng(config.seed).permutation(len(members))
        for number, clips in enumerate(_fill_shards(members[i] for i in order)):
            yield Shard(split, number, clips, manifest.labels, config, has_questions)


def _by_footage(clips: Iterable[Clip]) -> list[list[Clip]]:
    groups: defaultdict[object, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.footage].append(clip)
    return list(groups.values())


def _fill_shards(groups: Iterable[list[Clip]]) -> Iterator[tuple[Clip, ...]]:
    """Joins groups, none of them divided: a clip with more questions than a shard has clips is a shard of its own."""
    shard: list[Clip] = []
    for group in groups:
        if shard and len(shard) + len(group) > CLIPS_PER_SHARD:
            yield tuple(shard)
            shard = []
        shard += group
    if shard:
        yield tuple(shard)


def _fingerprint(manifest: Manifest, splits: Mapping[str, str], config: PrepareConfig) -> str:
    settings = _settings_that_count(config)
    rows = []
    for clip in manifest.clips:
        row = [clip.id, clip.text, clip.words_from, clip.labels, clip.source, splits[clip.id]]
        if isinstance(clip.path, RemoteFile):
            row += [clip.path.num_bytes, clip.path.version]
        elif clip.path is not None:
            status = clip.path.stat()
            row += [status.st_size, status.st_mtime_ns]
        rows.append(row)
    return hash_of([settings, dict(manifest.labels), sorted(manifest.labels.multi_label), rows])


def _settings_that_count(config: PrepareConfig) -> dict[str, Any]:
    """Not those of sources of words that are not asked: a data set is the same as before there were any."""
    settings = to_mapping(config)
    del settings["num_workers"]  # only the speed depends on it
    if not config.words:
        del settings["words"]
    for name in unused_settings(config.words):
        del settings[name]
    for source in config.words:
        settings |= obeyed_settings(source, config)
    return settings


def hash_of(values: Sequence[Any]) -> str:
    """The SHA-256 of JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
