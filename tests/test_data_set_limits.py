"""Data sets that claim to be far larger than they are: refused before anything is allocated for them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.records import described
from vidmodel_tf.records.described import check_description
from vidmodel_tf.records.record_lengths import check_record_lengths


def record(content: bytes, length: int | None = None) -> bytes:
    """Without true checksums, which are TensorFlow's to look at."""
    return struct.pack("<QI", len(content) if length is None else length, 0) + content + bytes(4)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return tmp_path / "shard.tfrecord"


def test_records_that_fit(shard: Path) -> None:
    for content in (b"", record(b""), record(b"one") + record(b"another" * 1000)):
        shard.write_bytes(content)
        check_record_lengths([str(shard), str(shard.with_name("not there"))])


@pytest.mark.parametrize(
    ("content", "claim"),
    [
        (record(b"one") + record(b"two", 2**62), "at byte 19, it claims to end at 4,611,686,018,427,387,939 of 38"),
        (record(b"one", 2**64 - 1), "at byte 0, it claims to end at 18,446,744,073,709,551,631 of 19"),
        (record(b"one", 4), "at byte 0, it claims to end at 20 of 19"),
        (record(b"one")[:-1], "at byte 0, it claims to end at 19 of 18"),
        (record(b"one") + b"xy", "at byte 19, it claims to end at 35 of 21"),
    ],
    ids=["huge", "largest", "too long", "cut off", "no header"],
)
def test_records_that_do_not(shard: Path, content: bytes, claim: str) -> None:
    shard.write_bytes(record(b"it fits"))
    check_record_lengths([str(shard)])
    shard.write_bytes(content)  # of another size: it is looked at again
    with pytest.raises(InputError, match=rf"shard.tfrecord: a record cannot be read \({claim}\): the data set was"):
        check_record_lengths([str(shard)])


def describe(folder: Path, splits: object, names: str = "a\nb\n") -> Path:
    (folder / "features.json").write_text("{}")
    (folder / "dataset_info.json").write_text(json.dumps({"splits": splits}))
    (folder / "labels-mood.labels.txt").write_text(names)
    return folder


@pytest.mark.parametrize("splits", [[], None, "x", [1], [{"shardLengths": "x"}], [{"shardLengths": ["1", "2"]}]])
def test_descriptions_of_usual_size_are_left_to_tfds(tmp_path: Path, splits: object) -> None:
    check_description(describe(tmp_path, splits))


@pytest.mark.parametrize(
    ("splits", "names", "expected"),
    [
        ([{"shardLengths": ["0"] * 60_000}] * 2, "a", "info.json: expected at most 100,000 shards. Received: 120,000"),
        ([{}] * 101, "a", "dataset_info.json: expected at most 100 splits. Received: 101"),
        ([], "a\n" * 100_001, "labels-mood.labels.txt: expected at most 100,000 classes. Received: 100,001"),
        ([], "a" * 1001, "labels-mood.labels.txt: expected classes of at most 1,000 characters. Received: 1,001"),
    ],
    ids=["shards", "splits", "classes", "class"],
)
def test_descriptions_beyond_a_limit(tmp_path: Path, splits: object, names: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        check_description(describe(tmp_path, splits, names))


def test_files_beyond_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, [], "a" * 30)
    monkeypatch.setattr(described, "MAX_CLASSES_BYTES", 20)
    with pytest.raises(InputError, match=r"labels-mood.labels.txt: expected at most 20 bytes. Received: 30"):
        check_description(tmp_path)
    monkeypatch.setattr(described, "MAX_BYTES", 1)
    with pytest.raises(InputError, match=r"features.json: expected at most 1 bytes. Received: 2"):
        check_description(tmp_path)
