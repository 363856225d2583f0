"""Finished shards -> a whole data set: its records, metadata, splits and report, all in place at once."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import tensorflow_datasets as tfds

from vidmodel_tf.clips.clip import Clip, class_names
from vidmodel_tf.clips.splits.assign import SPLITS
from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import write_sums
from vidmodel_tf.records.layout import CONTENT, REPORT, SPLITS_FILE
from vidmodel_tf.records.plan import Plan, Shard, hash_of
from vidmodel_tf.records.prepare_report import PrepareReport, SplitCounts
from vidmodel_tf.records.shards import Journal, read_journal, shard_path
from vidmodel_tf.storage import write_json
from vidmodel_tf.video.decoder import decoder_version


def finish(plan: Plan, partial: Path, out: Path) -> PrepareReport:
    """Makes the data set of its shards.

    Args:
        plan: What was to be written.
        partial: The folder of the finished shards; it is removed.
        out: The folder of the data set, which appears when it is whole.

    Raises:
        InputError: No clip could be read.
    """
    written = [(shard, read_journal(partial, shard)) for shard in plan.shards]
    report = _report(plan, [journal for _, journal in written])
    whole = partial / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir()
    split_infos = list(_place_splits(written, partial, whole, out.name))
    tfds.folder_dataset.write_metadata(
        data_dir=whole,
        features=plan.shards[0].features,
        split_infos=split_infos,
        filename_template=split_infos[0].filename_template,
        description="Clips of videos with their words, prepared by vidmodel_tf.",
        check_data=False,
    )
    stored = {clip_id: split for clip_id, split in plan.splits.items() if clip_id not in report.refused}
    write_json(whole / SPLITS_FILE, {"seed": plan.config.seed, "splits": stored})
    write_json(whole / REPORT, report.to_json())
    write_sums(whole, CONTENT)
    whole.rename(out)
    shutil.rmtree(partial, ignore_errors=True)  # on some file systems not while it is locked
    return report


def _report(plan: Plan, journals: Sequence[Journal]) -> PrepareReport:
    refused = {clip_id: reason for journal in journals for clip_id, reason in journal.refused.items()}
    stored = [clip for clip in plan.manifest.clips if clip.id not in refused]
    if not stored:
        raise InputError(
            f"none of the {len(plan.manifest.clips)} clips could be read",
            details=[f"{clip_id}: {reason}" for clip_id, reason in refused.items()],
        )
    return PrepareReport(
        num_clips=len(stored),
        refused=refused,
        warnings=(*plan.warnings, *_lost_classes(plan, stored)),
        clip_warnings={clip_id: lines for journal in journals for clip_id, lines in journal.warnings.items()},
        ignored_columns=plan.manifest.ignored_columns,
        passed_over=dict(plan.manifest.passed_over),
        decoder=decoder_version(),
        counts={split: _count(plan, [clip for clip in stored if plan.splits[clip.id] == split]) for split in SPLITS},
        settings=plan.config,
        source=plan.source,
        plan_fingerprint=plan.fingerprint,
        fingerprint=hash_of([plan.fingerprint, sorted(refused)]),
    )


def _lost_classes(plan: Plan, stored: Iterable[Clip]) -> Iterator[str]:
    before, after = _class_counts(plan.manifest.clips), _class_counts(stored)
    for (head, name), count in before.items():
        if not after[head, name]:
            yield (
                f"head {head!r}: none of the {count} clips of the class {name!r} could be read; "
                "replace their videos, or leave the class out"
            )


def _count(plan: Plan, clips: Sequence[Clip]) -> SplitCounts:
    counts = _class_counts(clips)
    labels = {head: {name: counts[head, name] for name in names} for head, names in plan.manifest.labels.items()}
    return SplitCounts(len(clips), labels)


def _class_counts(clips: Iterable[Clip]) -> Counter[tuple[str, str]]:
    return Counter((head, name) for clip in clips for head, label in clip.labels.items() for name in class_names(label))


def _place_splits(
    written: Sequence[tuple[Shard, Journal]], partial: Path, whole: Path, name: str
) -> Iterator[tfds.core.SplitInfo]:
    """Places the records of every split that has some, under the names that TFDS gives them."""
    for split in SPLITS:
        full = [(shard, journal) for shard, journal in written if shard.split == split and journal.stored]
        if not full:
            continue
        template = tfds.core.ShardedFileTemplate(
            data_dir=whole, dataset_name=_tfds_name(name), split=split, filetype_suffix="tfrecord"
        )
        for index, (shard, _) in enumerate(full):
            target = template.sharded_filepath(shard_index=index, num_shards=len(full))
            _link_or_copy(shard_path(partial, shard), Path(target))
        yield tfds.core.SplitInfo(
            name=split,
            shard_lengths=[len(journal.stored) for _, journal in full],
            num_bytes=sum(journal.num_bytes for _, journal in full),
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
