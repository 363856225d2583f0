import dataclasses

import numpy as np
import pytest

from tests.conftest import MODEL, NUM_CLIPS, TRAIN
from tests.videos import read_frame_number
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.records import pipeline
from vidmodel_tf.records.folds import fold_splits
from vidmodel_tf.records.index import read_index
from vidmodel_tf.records.pipeline import (
    count_clips,
    epoch_seed,
    for_inference,
    for_training,
    load_dataset,
    load_labels,
    record_files,
)
from vidmodel_tf.records.schema import open_data_set, parse_clip
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.text.vocabulary import Vocabulary

PLAIN = dataclasses.replace(TRAIN, random_crop=0.0, random_color=0.0)


@pytest.fixture(scope="module")
def vocabulary(data_set):
    return Vocabulary.from_dataset(data_set)


def batches(data_set, vocabulary, **changes):
    return list(for_training(data_set, MODEL, vocabulary, PLAIN, **changes).as_numpy_iterator())


def numbers(frames_BxTxHxWxC):
    return [[read_frame_number(frame) for frame in clip] for clip in frames_BxTxHxWxC]


def stored_numbers(clip_id):
    num_frames = 16 + int(clip_id[4:6])
    return [(2 * slot + 1) * num_frames // 16 for slot in range(8)]


def test_inference_takes_every_second_stored_frame_and_every_clip_once(data_set, vocabulary):
    stored = [clip for clip in read_index(data_set) if clip.split == "test"]
    data = for_inference(data_set, "test", MODEL, vocabulary, batch_size=4)
    frames = np.concatenate([inputs["frames"] for inputs, _, _ in data.as_numpy_iterator()])
    assert frames.shape == (len(stored), 4, 32, 40, 3)
    assert numbers(frames) == [stored_numbers(clip.id)[::2] for clip in stored]


def test_a_model_of_frames_alone_gets_padding_and_traces_no_tokenizer(data_set, vocabulary, monkeypatch):
    monkeypatch.setattr(pipeline, "text_encoder", None)
    config = dataclasses.replace(MODEL, branches="video")
    (batch,) = for_inference(data_set, "validation", config, vocabulary, batch_size=100).as_numpy_iterator()
    token_ids = batch[0]["token_ids"]
    assert (token_ids.dtype, token_ids.shape[1]) == (np.int32, MODEL.num_tokens)
    assert not token_ids.any()


def test_words_labels_and_weights(data_set, vocabulary):
    stored = [clip for clip in read_index(data_set) if clip.split == "validation"]
    (batch,) = for_inference(data_set, "validation", MODEL, vocabulary, batch_size=100).as_numpy_iterator()
    inputs, labels, weights = batch
    names = load_labels(data_set)
    for i, clip in enumerate(stored):
        expected = vocabulary.encode(join_fields(clip.text, MODEL.text_fields), MODEL.num_tokens)
        np.testing.assert_array_equal(inputs["token_ids"][i], expected)
        colour = clip.labels["colour"]
        assert labels["colour"][i] == (0 if colour is None else names["colour"].index(colour))
        assert weights["colour"][i] == (colour is not None)
        topics = clip.labels["topic"]
        assert labels["topic"][i].tolist() == [float(name in (topics or ())) for name in names["topic"]]
        assert weights["topic"][i] == (topics is not None)
    assert labels["colour"].dtype == np.int32
    assert {clip.labels["topic"] for clip in stored} >= {None}, "the split should hold an unlabelled clip"


def test_training_takes_one_offset_a_clip(data_set, vocabulary):
    known = {tuple(stored_numbers(f"clip{i:02d}")[offset::2]) for i in range(NUM_CLIPS) for offset in (0, 1)}
    seen = {tuple(clip) for inputs, _, _ in batches(data_set, vocabulary) for clip in numbers(inputs["frames"])}
    assert seen <= known
    starts = {clip[0] for clip in seen}
    assert len(starts & {stored_numbers(f"clip{i:02d}")[1] for i in range(NUM_CLIPS)}) > 0


def test_batches_are_static(data_set, vocabulary):
    data = for_training(data_set, MODEL, vocabulary, PLAIN)
    inputs, labels, weights = data.element_spec
    assert inputs["frames"].shape == (4, 4, 32, 40, 3)
    assert inputs["token_ids"].shape == (4, 12)
    assert labels["topic"].shape == (4, 2)
    assert weights["colour"].shape == labels["colour"].shape == (4,)
    assert (
        sum(len(inputs["frames"]) for inputs, _, _ in data.as_numpy_iterator())
        == count_clips(data_set, "train") // 4 * 4
    )


@pytest.mark.parametrize("fold", [None, (1, 3)])
@pytest.mark.parametrize("window", [4, 64])
def test_shuffling_gives_each_clip_once_in_another_order_each_epoch(data_set, fold, window):
    clips = read_index(data_set)
    splits = fold_splits(clips, fold)
    files, features = record_files(data_set, "train", splits), open_data_set(data_set).info.features
    orders = []
    for epoch in range(3):
        records = files.shuffled(epoch_seed(0, np.int64(epoch)), window)
        orders.append([parse_clip(features, record[0])["id"].numpy().decode() for record in records])
    expected = sorted(clip.id for clip in clips if (splits or {clip.id: clip.split})[clip.id] == "train")
    assert [sorted(order) for order in orders] == [expected] * 3
    assert len({tuple(order) for order in orders}) == 3


def test_a_seed_decides_and_epochs_differ(data_set, vocabulary):
    data = for_training(data_set, MODEL, vocabulary, TRAIN)
    first, second = ([inputs["frames"] for inputs, _, _ in data.as_numpy_iterator()] for _ in range(2))
    again = [inputs["frames"] for inputs, _, _ in for_training(data_set, MODEL, vocabulary, TRAIN).as_numpy_iterator()]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    other = for_training(data_set, MODEL, vocabulary, dataclasses.replace(TRAIN, seed=1))
    assert not np.array_equal(first, [inputs["frames"] for inputs, _, _ in other.as_numpy_iterator()])


def test_a_resumed_run_sees_what_it_would_have_seen(data_set, vocabulary):
    steps = count_clips(data_set, "train") // TRAIN.batch_size
    whole = for_training(data_set, MODEL, vocabulary, TRAIN, first_epoch=0).take(3 * steps)
    resumed = for_training(data_set, MODEL, vocabulary, TRAIN, first_epoch=2).take(steps)
    expected = [inputs["frames"] for inputs, _, _ in whole.as_numpy_iterator()][2 * steps :]
    np.testing.assert_array_equal(expected, [inputs["frames"] for inputs, _, _ in resumed.as_numpy_iterator()])


def test_class_weights_multiply(data_set, vocabulary):
    for _, labels, weights in batches(data_set, vocabulary, class_weights={"colour": [2.0, 5.0]}):
        allowed = {(0, 0.0), (0, 2.0), (1, 5.0)}
        assert set(zip(labels["colour"].tolist(), weights["colour"].tolist(), strict=True)) <= allowed


def test_folds_take_the_place_of_the_splits(data_set, vocabulary):
    clips = read_index(data_set)
    held_out = []
    for k in range(1, 4):
        splits = fold_splits(clips, (k, 3))
        data = for_inference(data_set, "test", MODEL, vocabulary, batch_size=50, splits=splits)
        frames = np.concatenate([inputs["frames"] for inputs, _, _ in data.as_numpy_iterator()])
        expected = [stored_numbers(clip.id)[::2] for clip in clips if splits[clip.id] == "test"]
        assert numbers(frames) == expected
        held_out += expected
    assert len(held_out) == NUM_CLIPS  # each clip is held out once


def test_load_dataset_is_what_fit_takes(data_set, vocabulary):
    train = load_dataset(data_set, "train", MODEL, vocabulary, batch_size=5)
    assert train.element_spec[0]["frames"].shape[0] == 5
    test = load_dataset(data_set, "test", MODEL, vocabulary, batch_size=5)
    assert sum(len(weights["colour"]) for _, _, weights in test.as_numpy_iterator()) == count_clips(data_set, "test")


def test_clear_errors(data_set, vocabulary):
    with pytest.raises(InputError, match=r"has no clips in the split 'tset'; it has: .*train"):
        load_dataset(data_set, "tset", MODEL, vocabulary)
    with pytest.raises(InputError, match="num_frames"):
        load_dataset(data_set, "test", ModelConfig(num_frames=3), vocabulary)
    with pytest.raises(InputError, match=r"fold: expected K/N with N of at least 2 and K from 1 to N\. Received: 4/3"):
        fold_splits(read_index(data_set), (4, 3))
