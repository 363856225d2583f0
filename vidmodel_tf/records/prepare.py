"""Videos and words -> a TFDS data set: finished shards survive a kill, an unfinished set never looks whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.manifest.read import Manifest, read_manifest
from vidmodel_tf.clips.read_clip import ClipRequest, DecodedClip
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.clips.splits.assign import SPLITS, assign_splits
from vidmodel_tf.config import PrepareConfig, to_mapping
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.progress import track
from vidmodel_tf.records.schema import example_features, serialize_clip
from vidmodel_tf.storage import atomic_write, write_json
from vidmodel_tf.video.decoder import decoder_version

_NO_VIDEO = DecodedClip((), (), duration_seconds=0.0, fps=0.0, width=0, height=0)
CLIPS_PER_SHARD = 32  # what a kill may cost: at most this many clips are decoded again


@dataclasses.dataclass(frozen=True)
class _Shard:
    split: str
    number: int  # from 0, within the split
    clips: tuple[Clip, ...]

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:05d}"


def prepare(source: str | Path, out: str | Path, config: PrepareConfig | None = None) -> dict[str, Any]:
    """Decodes the clips of `source` into a data set that `tfds.builder_from_directory(out)` reads.

    Interrupted, it leaves `OUT.partial`, and goes on from there when called again with the same arguments.

    Args:
        source: A folder of class folders, or a CSV or JSONL manifest.
        out: The folder to make.
        config: How clips are stored.

    Returns:
        What `prepare_report.json` holds: clips read, refused and why, decoder, counts per split and class.

    Raises:
        InputError: The manifest has bad rows, no clip could be read, or `out` holds something else.
    """
    config, out = config or PrepareConfig(), Path(out)
    manifest = read_manifest(source, config)
    splits, warnings = assign_splits(
        manifest.clips,
        validation_fraction=config.validation_fraction,
        test_fraction=config.test_fraction,
        seed=config.seed,
    )
    fingerprint = _fingerprint(manifest, splits, config)
    partial = out.with_name(out.name + ".partial")
    if out.exists():
        report = _finished_report(out, fingerprint)
        shutil.rmtree(partial, ignore_errors=True)  # there if a kill came right after the data set was in place
        return report
    _open_partial(partial, fingerprint)

    shards = _plan_shards(manifest.clips, splits, config.seed)
    if not manifest.has_videos:
        warnings = [*warnings, "no column 'path': words without videos, for models with branches=text"]
    features = example_features(manifest.labels, config.num_stored_frames if manifest.has_videos else 0)
    _write_shards(partial, shards, features, config)
    report = _report(partial, shards, manifest, splits, config, warnings) | {
        "source": str(source),
        "plan_fingerprint": fingerprint,
    }
    report["fingerprint"] = _hash([fingerprint, sorted(report["refused"])])
    _finish(partial, out, shards, features, splits, report, config)
    return report


def _fingerprint(manifest: Manifest, splits: dict[str, str], config: PrepareConfig) -> str:
    settings = to_mapping(config)
    del settings["num_workers"]  # only the speed depends on it
    rows = []
    for clip in manifest.clips:
        row = [clip.id, clip.text, clip.labels, clip.source, splits[clip.id]]
        if clip.path is not None:
            status = clip.path.stat()
            row += [status.st_size, status.st_mtime_ns]
        rows.append(row)
    return _hash([settings, dict(manifest.labels), sorted(manifest.labels.multi_label), rows])


def _hash(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _finished_report(out: Path, fingerprint: str) -> dict[str, Any]:
    try:
        report = json.loads((out / "prepare_report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        report = {}
    if report.get("plan_fingerprint") != fingerprint:
        raise InputError(
            f"{out} exists already and was made from other clips, words or settings: "
            "give another --out, or remove that folder first"
        )
    return report


def _open_partial(partial: Path, fingerprint: str) -> None:
    plan = partial / "plan.json"
    if not plan.exists():
        partial.mkdir(parents=True, exist_ok=True)
        write_json(plan, {"fingerprint": fingerprint})
    elif json.loads(plan.read_text(encoding="utf-8"))["fingerprint"] != fingerprint:
        raise InputError(
            f"{partial} was begun with other clips, words or settings: "
            "go on with those, or remove that folder to begin anew"
        )


def _plan_shards(clips: Sequence[Clip], splits: dict[str, str], seed: int) -> list[_Shard]:
    """Clips in an order mixed by the seed, so that a small shuffle buffer is enough when training."""
    shards = []
    for split in SPLITS:
        members = [clip for clip in clips if splits[clip.id] == split]
        order = np.random.default_rng(seed).permutation(len(members))
        mixed = [members[i] for i in order]
        for number, start in enumerate(range(0, len(mixed), CLIPS_PER_SHARD)):
            shards.append(_Shard(split, number, tuple(mixed[start : start + CLIPS_PER_SHARD])))
    return shards


def _write_shards(
    partial: Path, shards: Sequence[_Shard], features: tfds.features.FeaturesDict, config: PrepareConfig
) -> None:
    missing = [shard for shard in shards if not _journal_path(partial, shard).exists()]
    clips = [clip for shard in missing for clip in shard.clips if clip.path is not None]
    requests = (
        ClipRequest(
            path=clip.path,
            num_frames=config.num_stored_frames,
            short_side=config.short_side,
            jpeg_quality=config.jpeg_quality,
            start_seconds=clip.start_seconds,
            end_seconds=clip.end_seconds,
        )
        for clip in clips
    )
    answers = read_clips(requests, num_workers=config.num_workers, timeout_seconds=config.timeout_seconds)
    results = (answer for _, answer in track(answers, "reading videos", len(clips)))
    for shard in missing:
        videos = (next(results) if clip.path else _NO_VIDEO for clip in shard.clips)
        _write_shard(partial, shard, videos, features)


def _write_shard(
    partial: Path, shard: _Shard, results: Iterator[DecodedClip | InputError], features: tfds.features.FeaturesDict
) -> None:
    stored, refused, num_bytes = [], {}, 0
    with (
        atomic_write(partial / f"{shard.name}.tfrecord") as beside,
        tf.io.TFRecordWriter(str(beside)) as writer,
    ):
        for clip, result in zip(shard.clips, results, strict=True):
            if isinstance(result, InputError):
                refused[clip.id] = str(result).removeprefix(f"{clip.path}: ")  # the id names it already
                continue
            record = serialize_clip(features, clip, result)
            writer.write(record)
            stored.append(clip.id)
            num_bytes += len(record)
    # Only with its journal does a shard count as finished.
    write_json(_journal_path(partial, shard), {"stored": stored, "refused": refused, "num_bytes": num_bytes})


def _journal_path(partial: Path, shard: _Shard) -> Path:
    return partial / f"{shard.name}.json"


def _read_journal(partial: Path, shard: _Shard) -> dict[str, Any]:
    return json.loads(_journal_path(partial, shard).read_text(encoding="utf-8"))


def _report(
    partial: Path,
    shards: Sequence[_Shard],
    manifest: Manifest,
    splits: dict[str, str],
    config: PrepareConfig,
    warnings: Sequence[str],
) -> dict[str, Any]:
    refused: dict[str, str] = {}
    for shard in shards:
        refused |= _read_journal(partial, shard)["refused"]
    stored = [clip for clip in manifest.clips if clip.id not in refused]
    if not stored:
        raise InputError(
            f"none of the {len(manifest.clips)} clips could be read",
            details=[f"{clip_id}: {reason}" for clip_id, reason in refused.items()],
        )
    return {
        "num_clips": len(stored),
        "num_refused": len(refused),
        "refused": refused,
        "warnings": [*manifest.warnings, *warnings],
        "ignored_columns": list(manifest.ignored_columns),
        "passed_over": dict(manifest.passed_over),
        "decoder": decoder_version(),
        "counts": _counts(stored, splits, manifest.labels),
        "settings": to_mapping(config),
    }


def _counts(clips: Sequence[Clip], splits: dict[str, str], labels: Labels) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for split in SPLITS:
        members = [clip for clip in clips if splits[clip.id] == split]
        heads = {}
        for head, names in labels.items():
            given = (clip.labels[head] for clip in members)
            found = Counter(name for label in given for name in ((label,) if isinstance(label, str) else label or ()))
            heads[head] = {name: found[name] for name in names}
        counts[split] = {"clips": len(members), "labels": heads}
    return counts


def _finish(
    partial: Path,
    out: Path,
    shards: Sequence[_Shard],
    features: tfds.features.FeaturesDict,
    splits: dict[str, str],
    report: dict[str, Any],
    config: PrepareConfig,
) -> None:
    whole = partial / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    split_infos = []
    for split in SPLITS:
        full = [shard for shard in shards if shard.split == split and _read_journal(partial, shard)["stored"]]
        if full:
            split_infos.append(_place_shards(partial, whole, out.name, split, full))
    tfds.folder_dataset.write_metadata(
        data_dir=whole,
        features=features,
        split_infos=split_infos,
        filename_template=split_infos[0].filename_template,
        description="Clips of videos with their words, prepared by vidmodel_tf.",
        check_data=False,
    )
    stored = {clip_id: split for clip_id, split in splits.items() if clip_id not in report["refused"]}
    write_json(whole / "splits.json", {"seed": config.seed, "splits": stored})
    write_json(whole / "prepare_report.json", report)
    whole.rename(out)
    shutil.rmtree(partial)


def _place_shards(partial: Path, whole: Path, name: str, split: str, shards: Sequence[_Shard]) -> tfds.core.SplitInfo:
    journals = [_read_journal(partial, shard) for shard in shards]
    template = tfds.core.ShardedFileTemplate(
        data_dir=whole, dataset_name=_tfds_name(name), split=split, filetype_suffix="tfrecord"
    )
    for index, shard in enumerate(shards):
        target = template.sharded_filepath(shard_index=index, num_shards=len(shards))
        _link_or_copy(partial / f"{shard.name}.tfrecord", Path(target))
    return tfds.core.SplitInfo(
        name=split,
        shard_lengths=[len(journal["stored"]) for journal in journals],
        num_bytes=sum(journal["num_bytes"] for journal in journals),
        filename_template=template,
    )


def _tfds_name(name: str) -> str:
    """TFDS accepts small ASCII letters, digits and underscores, beginning with a letter."""
    name = re.sub(r"[^a-z0-9_]+", "_", name.lower())
    return name if re.match(r"[a-z]", name) else f"clips_{name}"


def _link_or_copy(shard: Path, target: Path) -> None:
    try:
        os.link(shard, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(shard, target)
