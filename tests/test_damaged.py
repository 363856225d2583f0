"""A data set whose files are damaged, or whose records hold what `prepare` never writes: one line for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tests.conftest import MODEL
from tests.sums import DAMAGES, without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.damaged import reading_records
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.frames import decode_questions


@pytest.fixture
def data(data_set, tmp_path) -> Path:
    return without_sums(shutil.copytree(data_set, tmp_path / "data"))


@pytest.fixture
def shard(data) -> Path:
    return next(path for path in sorted(data.iterdir()) if "test.tfrecord" in path.name)


def read_all(data: Path) -> None:
    opened = open_data_set(data)
    _ = opened.clips
    for split in opened.split_names:
        list(opened.frames(split))


@pytest.mark.parametrize("at", [0, 11, 1000, -1])
def test_a_changed_byte_of_a_shard(data, shard, at):
    content = bytearray(shard.read_bytes())
    content[at] ^= 1
    shard.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"{data}.*: a record cannot be read \((DataLossError|at byte [\d,]+, it claims)"
    ):
        read_all(data)


def test_a_shard_that_is_cut_off(data, shard):
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match="a record cannot be read"):
        read_all(data)


def test_records_that_are_missing(data, shard):
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]
    write(shard, records[1:])
    with pytest.raises(
        InputError, match=rf"expected {len(records)} clips in the split 'test'.*Received: {len(records) - 1};"
    ):
        read_all(data)


def test_a_record_that_is_no_clip(data, shard):
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(shard))]
    write(shard, [b"no clip", *records[1:]])
    with pytest.raises(InputError, match="a record cannot be read"):
        read_all(data)


def test_the_number_of_a_class_that_is_not_there(data, shard):
    examples = [tf.train.Example.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(shard))]
    for example in examples:
        example.features.feature["labels/colour"].int64_list.value[:] = [7]
        example.features.feature["labelled/colour"].int64_list.value[:] = [1]
    write(shard, [example.SerializeToString() for example in examples])
    with pytest.raises(InputError, match="a record cannot be read"):
        read_all(data)


def test_a_stored_frame_that_is_no_jpeg(data_set):
    _, question = next(open_data_set(data_set).questions("test", MODEL))
    question = type(question)(question.id, (b"\xff\xd8\xff", *question.jpeg_frames[1:]), "")
    with pytest.raises(InputError, match=f"a stored frame is no JPEG, .* one of these clips: {question.id}"):
        decode_questions([question], MODEL)


@pytest.mark.parametrize("name", ["features.json", "dataset_info.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe", b"[" * 5000])
def test_damaged_descriptions(data, name, content):
    (data / name).write_bytes(content)
    with pytest.raises(InputError, match=str(data)):
        read_all(data)


@pytest.mark.parametrize("name", ["splits.json", "labels-colour.labels.txt", "*test.tfrecord*", "features.json"])
@pytest.mark.parametrize("damage", [*DAMAGES.values(), Path.unlink], ids=[*DAMAGES, "missing"])
def test_files_that_are_not_as_they_were_written(data_set, tmp_path, name, damage):
    data = shutil.copytree(data_set, tmp_path / "data")
    path = next(data.glob(name))
    damage(path)
    with pytest.raises(InputError, match=rf"{data}.*({path.name} \((changed|missing)\)|no {path.name} in it)"):
        open_data_set(data)


def test_shards_of_another_data_set_are_foreign(data_set, tmp_path):
    data = shutil.copytree(data_set, tmp_path / "data")
    (data / "other-train.tfrecord-00000-of-00001").touch()
    with pytest.raises(InputError, match=r"other-train.tfrecord-00000-of-00001 \(foreign\); move"):
        open_data_set(data)


def test_other_faults_of_a_graph_are_not_laid_on_the_data(tmp_path):
    with pytest.raises(tf.errors.InvalidArgumentError), reading_records(tmp_path):
        raise tf.errors.InvalidArgumentError(None, None, "shapes do not fit")


def write(shard: Path, records: list[bytes]) -> None:
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in records:
            writer.write(record)
