"""A shard is written whole or not at all; what became of each of its clips is in its journal."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.sums import DAMAGES
from tests.test_records_plan import CONFIG, clip
from vidmodel_tf.clips.clip_request import DecodedClip
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.records import shards
from vidmodel_tf.records.plan import Shard
from vidmodel_tf.records.schema import parse_clip
from vidmodel_tf.records.shards import read_journal, shard_path, write_shard, write_shards


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "video.mp4"
    path.touch()
    clips = tuple(clip(i, path=path) for i in range(4))
    return Shard("train", 7, clips, Labels({"label": ["a", "b"]}), CONFIG)


def jpeg(value):
    return cv2.imencode(".jpg", np.full((8, 8, 3), value, np.uint8))[1].tobytes()


def decoded(values, warnings=()):
    times = tuple(i / 10 for i in range(len(values)))
    return DecodedClip(tuple(map(jpeg, values)), times, 0.4, 10.0, 8, 8, warnings=warnings)


def test_records_and_journal(shard, tmp_path):
    answers = [
        decoded([1, 50, 100, 150]),
        InputError("expected a video", subject=shard.clips[1].path),
        decoded([1, 50, 100, 150], warnings=("2 of 40 packets could not be decoded",)),
        decoded([1, 1, 1, 150]),
    ]
    journal = write_shard(shard, tmp_path, iter(answers))
    assert journal == read_journal(tmp_path, shard)
    assert journal.stored == ("c0", "c2", "c3")
    assert journal.refused == {"c1": "expected a video"}
    assert journal.warnings["c2"] == ("2 of 40 packets could not be decoded",)
    assert "one and the same picture, although their times differ" in journal.warnings["c3"][0]
    assert set(journal.warnings) == {"c2", "c3"}
    records = list(tf.data.TFRecordDataset(str(shard_path(tmp_path, shard))).as_numpy_iterator())
    assert sum(map(len, records)) == journal.num_bytes
    first = parse_clip(shard.features, records[0])
    assert first["frames"].numpy().tolist() == list(answers[0].jpeg_frames)
    assert first["words_from"]["title"].numpy() == b"manifest"
    assert first["words_from"]["speech"].numpy() == b""


def test_a_shard_that_fails_leaves_nothing(shard, tmp_path):
    def break_off():
        yield decoded([1, 50, 100, 150])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shard(shard, tmp_path, break_off())
    assert [path.name for path in tmp_path.iterdir()] == ["video.mp4"]


@pytest.mark.parametrize("name", ["tfrecord", "json"])
@pytest.mark.parametrize("damage", [*DAMAGES.values(), Path.unlink], ids=[*DAMAGES, "missing"])
def test_what_was_damaged_is_written_again(shard, tmp_path, monkeypatch, name, damage):
    asked = []

    def read_clips(requests, **settings):
        asked.append(len(requests))
        return [(request, decoded([1, 50, 100, 150])) for request in requests]

    monkeypatch.setattr(shards, "read_clips", read_clips)
    (tmp_path / "SHA256SUMS").write_text("another's")
    write_shards([shard], tmp_path, CONFIG)
    path = shard_path(tmp_path, shard).with_suffix(f".{name}")
    whole = path.read_bytes()
    write_shards([shard], tmp_path, CONFIG)
    damage(path)
    write_shards([shard], tmp_path, CONFIG)
    assert asked == [4, 0, 4]
    assert path.read_bytes() == whole
