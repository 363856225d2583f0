"""Which clip goes into which shard, and what makes a data set another one."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.manifest.read import Manifest
from vidmodel_tf.config import TEXT_FIELDS, PrepareConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.plan import CLIPS_PER_SHARD, plan_data_set

CONFIG = PrepareConfig(num_stored_frames=4, short_side=32, seed=3)


def clip(i, **changes):
    values = {
        "id": f"c{i}", "path": None, "text": dict.fromkeys(TEXT_FIELDS, "") | {"title": f"words {i}"},
        "labels": {"label": "ab"[i % 2]}, "source": f"s{i}", "words_from": {"title": "manifest"},
    }  # fmt: skip
    return Clip(**values | changes)


def manifest(clips=None, **changes):
    clips = clips or [clip(i) for i in range(100)]
    return Manifest(tuple(clips), Labels({"label": ["a", "b"]}), **changes)


def in_training(plan):
    return [shard for shard in plan.shards if shard.split == "train"]


def test_every_clip_is_in_one_shard_of_its_split():
    plan = plan_data_set("source", manifest(), CONFIG)
    stored = [clip.id for shard in plan.shards for clip in shard.clips]
    assert sorted(stored) == sorted(f"c{i}" for i in range(100))
    for shard in plan.shards:
        assert {plan.splits[clip.id] for clip in shard.clips} == {shard.split}
        assert len(shard.clips) <= CLIPS_PER_SHARD
    assert [shard.name for shard in in_training(plan)] == ["train-00000", "train-00001", "train-00002"]


def test_clips_are_mixed_by_the_seed():
    plan = plan_data_set("source", manifest(), CONFIG)
    members = [clip for clip in plan.manifest.clips if plan.splits[clip.id] == "train"]
    order = np.random.default_rng(3).permutation(len(members))
    assert [clip for shard in in_training(plan) for clip in shard.clips] == [members[i] for i in order]


def test_warnings_of_the_manifest_come_first():
    plan = plan_data_set("source", manifest(warnings=("a column is odd",)), CONFIG)
    assert plan.warnings[0] == "a column is odd"
    assert any("words without videos" in warning for warning in plan.warnings)


def test_what_makes_another_data_set():
    def fingerprint(clips=None, **changes):
        return plan_data_set("source", manifest(clips), dataclasses.replace(CONFIG, **changes)).fingerprint

    same = [fingerprint(), fingerprint(num_workers=2)]
    first, *others = manifest().clips
    changed = [
        fingerprint(short_side=64),
        fingerprint([dataclasses.replace(first, text=first.text | {"speech": "said"}), *others]),
        fingerprint([dataclasses.replace(first, words_from={"title": "sidecar:a.txt"}), *others]),
        fingerprint([dataclasses.replace(first, labels={"label": "b"}), *others]),
    ]
    assert len(set(same)) == 1
    assert len({*same, *changed}) == 1 + len(changed)


def test_a_file_that_was_written_anew_makes_another_data_set(tmp_path):
    paths = [tmp_path / f"{i}.mp4" for i in range(9)]
    for path in paths:
        path.write_bytes(b"1234")
    clips = [clip(i, path=path) for i, path in enumerate(paths)]
    before = plan_data_set("source", manifest(clips), CONFIG).fingerprint
    paths[0].write_bytes(b"12345")
    assert plan_data_set("source", manifest(clips), CONFIG).fingerprint != before


def test_a_shard_asks_for_the_range_of_each_clip_and_can_be_handed_to_another_process():
    path = Path(__file__)
    clips = [clip(i, path=path, start_seconds=float(i), end_seconds=i + 1.0) for i in range(9)]
    shard = pickle.loads(pickle.dumps(plan_data_set("source", manifest(clips), CONFIG).shards[0]))
    requests = list(shard.requests())
    assert [(request.start_seconds, request.end_seconds) for request in requests] == [
        (clip.start_seconds, clip.end_seconds) for clip in shard.clips
    ]
    assert {(request.num_frames, request.short_side) for request in requests} == {(4, 32)}
    assert shard.features["timestamps_seconds"].shape == (4,)
