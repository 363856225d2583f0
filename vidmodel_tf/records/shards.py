"""Shards -> TFRecord files. Only with its journal does a shard count as finished, so a kill costs one shard at most."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from vidmodel_tf.clips.clip_request import DecodedClip
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import atomic_write_with_sum, is_whole
from vidmodel_tf.machines import Machines
from vidmodel_tf.progress import track
from vidmodel_tf.records.one_picture import WARNING, shows_one_picture
from vidmodel_tf.records.plan import Shard
from vidmodel_tf.records.schema import serialize_clip
from vidmodel_tf.storage import read_json, write_json

_NO_VIDEO = DecodedClip((), (), duration_seconds=0.0, fps=0.0, width=0, height=0)


@dataclasses.dataclass(frozen=True)
class Journal:
    """What became of the clips of a shard.

    Attributes:
        stored: The ids of the clips that were written, in order.
        refused: The clips that could not be read, by id, and why.
        warnings: By clip id, what was wrong with a clip that was written all the same.
        num_bytes: Of the records.
    """

    stored: tuple[str, ...]
    refused: dict[str, str]
    warnings: dict[str, tuple[str, ...]]
    num_bytes: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Journal:
        """The inverse of `dataclasses.asdict`, after JSON."""
        warnings = {clip_id: tuple(lines) for clip_id, lines in values["warnings"].items()}
        return cls(tuple(values["stored"]), values["refused"], warnings, values["num_bytes"])


def shard_path(folder: Path, shard: Shard) -> Path:
    """Where the records of a shard are."""
    return folder / f"{shard.name}.tfrecord"


def _journal_path(folder: Path, shard: Shard) -> Path:
    return folder / f"{shard.name}.json"


def read_journal(folder: Path, shard: Shard) -> Journal:
    """What became of the clips of a finished shard."""
    return Journal.from_json(read_json(_journal_path(folder, shard)))


def write_shards(
    shards: Sequence[Shard], folder: Path, config: PrepareConfig, machines: Machines | None = None
) -> None:
    """Writes the shards that are not finished yet; the clips of all of them are decoded by one pool of processes.

    Args:
        shards: All of the data set.
        folder: Where they are written.
        config: How clips are stored.
        machines: Where clips are decoded; None: here.
    """
    missing = [shard for shard in shards if not _is_finished(shard, folder)]
    requests = [request for shard in missing for request in shard.requests()]
    answers = read_clips(
        requests, num_workers=config.num_workers, timeout_seconds=config.timeout_seconds, machines=machines
    )
    results = (answer for _, answer in track(answers, "reading videos", len(requests)))
    for shard in missing:
        write_shard(shard, folder, _decoded(shard, results))


def _is_finished(shard: Shard, folder: Path) -> bool:
    return is_whole(_journal_path(folder, shard)) and is_whole(shard_path(folder, shard))


def _decoded(shard: Shard, results: Iterator[DecodedClip | InputError]) -> Iterator[DecodedClip | InputError]:
    for clips in shard.footage():
        clip = clips[0]  # what is known against one is known against all: they are of one file
        if clip.fault is not None:
            yield from [InputError(clip.fault)] * len(clips)
        else:
            yield from [next(results) if clip.path else _NO_VIDEO] * len(clips)


def write_shard(shard: Shard, folder: Path, decoded: Iterable[DecodedClip | InputError]) -> Journal:
    """Writes one shard and its journal.

    Args:
        shard: What to write.
        folder: Where.
        decoded: For each of its clips the frames, or why it is refused.
    """
    with atomic_write_with_sum(shard_path(folder, shard)) as beside, tf.io.TFRecordWriter(str(beside)) as writer:
        journal = _write_records(shard, decoded, writer)
    with atomic_write_with_sum(_journal_path(folder, shard)) as beside:
        write_json(beside, dataclasses.asdict(journal))
    return journal


def _write_records(shard: Shard, decoded: Iterable[DecodedClip | InputError], writer: tf.io.TFRecordWriter) -> Journal:
    features, stored, refused, warnings, num_bytes = shard.features, [], {}, {}, 0
    for clip, result in zip(shard.clips, decoded, strict=True):
        if isinstance(result, InputError):
            refused[clip.id] = result.reason  # the id names the file already
            continue
        record = serialize_clip(features, clip, result)
        writer.write(record)
        stored.append(clip.id)
        num_bytes += len(record)
        if lines := tuple(_warnings(result)):
            warnings[clip.id] = lines
    return Journal(tuple(stored), refused, warnings, num_bytes)


def _warnings(decoded: DecodedClip) -> Iterator[str]:
    yield from decoded.warnings
    if shows_one_picture(decoded.jpeg_frames, decoded.timestamps_seconds):
        yield WARNING
