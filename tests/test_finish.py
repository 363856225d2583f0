"""Shards become a data set: what its report tells of clips and classes that are missing."""

import pytest
import tensorflow_datasets as tfds

from tests.test_records_plan import CONFIG, clip, manifest
from tests.test_shards import decoded
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.finish import finish
from vidmodel_tf.records.plan import plan_data_set
from vidmodel_tf.records.shards import write_shard


def finish_without(out, is_refused):
    """The plan and the report of a data set of 40 clips, of which some could not be read."""
    path = out.parent / "video.mp4"
    path.open("a").close()  # what was there before keeps its time
    plan = plan_data_set("source", manifest([clip(i, path=path) for i in range(40)]), CONFIG)
    partial = out.with_name(f"{out.name}.partial")
    partial.mkdir()
    for shard in plan.shards:
        answers = (
            InputError("expected a video") if is_refused(clip) else decoded([1, 50, 100, 150]) for clip in shard.clips
        )
        write_shard(shard, partial, answers)
    return plan, finish(plan, partial, out)


def test_tfds_finds_the_clips_that_could_be_read(tmp_path):
    out = tmp_path / "Data 1"
    plan, report = finish_without(out, lambda clip: clip.id == "c5")
    assert not (tmp_path / "Data 1.partial").exists()
    assert (report.num_clips, report.refused) == (39, {"c5": "expected a video"})
    info = tfds.builder_from_directory(out).info
    assert {name: split.num_examples for name, split in info.splits.items()} == {
        split: counts.clips for split, counts in report.counts.items()
    }
    assert {clip.id: clip.split for clip in open_data_set(out).clips} == {
        clip_id: split for clip_id, split in plan.splits.items() if clip_id != "c5"
    }


def test_a_class_that_lost_all_its_clips_is_named(tmp_path):
    _, report = finish_without(tmp_path / "data", lambda clip: clip.labels["label"] == "b")
    (warning,) = [warning for warning in report.warnings if "could be read" in warning]
    assert warning.startswith("head 'label': none of the 20 clips of the class 'b' could be read;")
    assert open_data_set(tmp_path / "data").labels == {"label": ["a", "b"]}


def test_a_data_set_of_which_less_could_be_read_is_another(tmp_path):
    _, whole = finish_without(tmp_path / "whole", lambda clip: False)
    _, less = finish_without(tmp_path / "less", lambda clip: clip.id == "c5")
    assert whole.plan_fingerprint == less.plan_fingerprint
    assert whole.fingerprint != less.fingerprint


def test_nothing_could_be_read(tmp_path):
    with pytest.raises(InputError, match="none of the 40 clips could be read") as caught:
        finish_without(tmp_path / "data", lambda clip: True)
    assert len(caught.value.details) == 40
    assert not (tmp_path / "data").exists()
