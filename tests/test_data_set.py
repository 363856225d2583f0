"""A data set that is opened once: its clips and splits, its frames, the questions that it asks, who opens it."""

import dataclasses
import json
import pickle
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import vidmodel_tf as vm
from tests.conftest import MODEL, NUM_CLIPS, TRAIN
from tests.sums import without_sums
from tests.videos import frame_numbers
from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import epoch_seed
from vidmodel_tf.records.schema import parse_clip


@pytest.fixture(scope="module")
def data(data_set):
    return open_data_set(data_set)


def stored_numbers(clip_id):
    num_frames = 16 + int(clip_id[4:6])
    return [(2 * slot + 1) * num_frames // 16 for slot in range(8)]


def test_records_do_not_depend_on_the_order_of_a_process(data):
    records = [record.numpy()[0] for record in data.records("train").in_order()]
    assert len(records) == data.count("train")
    for record in records:
        assert record == tf.train.Example.FromString(record).SerializeToString(deterministic=True)


def test_what_tfds_says_of_it(data, data_set):
    info = tfds.builder_from_directory(data_set).info
    assert data.split_names == tuple(info.splits)
    assert {split: data.count(split) for split in data.split_names} == {
        name: split.num_examples for name, split in info.splits.items()
    }
    assert data.labels["colour"] == info.features["labels"]["colour"].names
    assert data.num_stored_frames == 8


def test_what_prepare_wrote(data, data_set):
    report = json.loads((data_set / "prepare_report.json").read_text())
    assert (data.fingerprint, data.prepare.short_side) == (report["fingerprint"], 48)


def test_opening_and_counting_reads_no_clips(data_set, monkeypatch):
    monkeypatch.setattr("vidmodel_tf.records.stored_clip._examples", None)
    data = open_data_set(data_set)
    assert sum(data.count(split) for split in data.split_names) == NUM_CLIPS
    assert data.records("train").paths


def test_clips_are_in_stored_order_and_in_their_splits(data):
    for split in data.split_names:
        stored = [
            parse_clip(data.features, record[0])["id"].numpy().decode() for record in data.records(split).in_order()
        ]
        assert [clip.id for clip in data.in_split(split)] == stored
        assert data.count(split) == len(stored)
    assert data.in_split("no such split") == ()


def test_a_fold_takes_the_place_of_the_splits(data):
    held_out = []
    for k, splits in enumerate(assign_folds(data.clips, num_folds=3, seed=0), start=1):
        fold = data.with_fold((k, 3))
        assert {clip.id: clip.split for clip in fold.clips} == splits
        assert {name: fold.count(name) for name in fold.split_names} == {
            name: list(splits.values()).count(name) for name in set(splits.values())
        }
        ids = [clip.id for clip, _ in fold.frames("test")]
        assert ids == [clip.id for clip in fold.in_split("test")]
        held_out += ids
    assert sorted(held_out) == sorted(clip.id for clip in data.clips)
    assert data.with_fold(None) is data


def test_frames_go_with_their_clip(data):
    for clip, stored in data.with_fold((2, 3)).frames("train"):
        assert frame_numbers(stored.jpegs) == stored_numbers(clip.id)
        np.testing.assert_allclose(stored.timestamps_seconds, np.array(stored_numbers(clip.id)) / 25, atol=1e-3)


def test_a_question_is_every_second_frame_and_the_joined_words(data):
    pairs = list(data.questions("test", MODEL))
    assert [clip.id for clip, _ in pairs] == [clip.id for clip in data.in_split("test")]
    for clip, question in pairs:
        assert question.id == clip.id
        assert frame_numbers(question.jpeg_frames) == stored_numbers(clip.id)[::2]
        assert question.words.replace("\x01", "").startswith(clip.text["title"])


def test_a_model_of_words_alone_is_asked_without_frames(data):
    config = ModelConfig(branches="text", text_fields=("tags",))
    for clip, question in data.questions("train", config):
        assert question.jpeg_frames == ()
        assert question.words == (f"\x01{clip.text['tags']}" if clip.text["tags"] else "")


def test_it_can_be_handed_to_another_process(data):
    fold = data.with_fold((1, 3))
    received = pickle.loads(pickle.dumps(fold))
    assert received.clips == fold.clips
    assert received.labels == fold.labels
    assert [clip.id for clip, _ in received.frames("test")] == [clip.id for clip in fold.in_split("test")]


@pytest.mark.parametrize("fold", [None, (1, 3)])
@pytest.mark.parametrize("window", [4, 64])
def test_shuffling_gives_each_clip_once_in_another_order_each_epoch(data, fold, window):
    part, orders = data.with_fold(fold), []
    for epoch in range(3):
        records = part.records("train").shuffled(epoch_seed(0, np.int64(epoch)), window)
        orders.append([parse_clip(data.features, record[0])["id"].numpy().decode() for record in records])
    expected = sorted(clip.id for clip in part.in_split("train"))
    assert [sorted(order) for order in orders] == [expected] * 3
    assert len({tuple(order) for order in orders}) == 3


def test_clear_errors(data, data_set, tmp_path):
    with pytest.raises(InputError, match=r"fold: expected K/N with N of at least 2 and K from 1 to N\. Received: 4/3"):
        data.with_fold((4, 3))
    with pytest.raises(InputError, match=r"has no clips in the split 'tset'; it has: .*train"):
        data.records("tset")
    with pytest.raises(InputError, match="num_frames"):
        data.slots(3)
    without_sums(shutil.copytree(data_set, tmp_path / "copy"))
    (tmp_path / "copy" / "prepare_report.json").write_text("{")
    with pytest.raises(InputError, match=r"cannot read .*report that `vidmodel prepare` writes; prepare the data set"):
        _ = open_data_set(tmp_path / "copy").fingerprint


def test_every_clip_needs_a_split(data_set):
    data = open_data_set(data_set)
    first = data.clips[0].id
    with pytest.raises(
        InputError, match=rf"splits: expected a split for every clip\. Received: none for \['{first}'\]"
    ):
        data.with_splits({clip.id: "train" for clip in data.clips[1:]})


QUICK = dataclasses.replace(TRAIN, epochs=1)
COMMANDS = {
    "inspect": lambda data, run, out: vm.inspect(data),
    "train": lambda data, run, out: vm.train(data, out, MODEL, QUICK, fold=(1, 3)),
    "evaluate": lambda data, run, out: vm.evaluate(run),
    "crossvalidate": lambda data, run, out: vm.crossvalidate(data, out, MODEL, QUICK, num_folds=2, num_seeds=1),
    "export": lambda data, run, out: vm.export_tflite(run, out),
}
LONG = ("train", "crossvalidate", "export")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in COMMANDS])
def test_a_command_opens_its_data_set_once(name, data_set, run_dir, tmp_path, monkeypatch):
    opened, original = [], tfds.builder_from_directory

    def count(path, *arguments):
        opened.append(path)
        return original(path, *arguments)

    shutil.copytree(run_dir, tmp_path / "run")
    monkeypatch.setattr(tfds, "builder_from_directory", count)
    COMMANDS[name](data_set, tmp_path / "run", tmp_path / "out")
    assert len(opened) == 1
