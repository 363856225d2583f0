import dataclasses
import functools

import numpy as np
import pytest

from tests.conftest import MODEL, NUM_CLIPS, TRAIN
from tests.videos import read_frame_number
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.records import pipeline
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference, for_training, load_dataset, targets
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.text.fields import join_fields

PLAIN = dataclasses.replace(TRAIN, random_crop=0.0, random_color=0.0)


@pytest.fixture(scope="module")
def data(data_set):
    return open_data_set(data_set)


@pytest.fixture(scope="module")
def vocabulary(data):
    return Vocabulary.from_dataset(data)


def batches(data, vocabulary, **changes):
    return list(for_training(data, MODEL, vocabulary, PLAIN, **changes).as_numpy_iterator())


def numbers(frames_BxTxHxWxC):
    return [[read_frame_number(frame) for frame in clip] for clip in frames_BxTxHxWxC]


def stored_numbers(clip_id):
    num_frames = 16 + int(clip_id[4:6])
    return [(2 * slot + 1) * num_frames // 16 for slot in range(8)]


def test_inference_takes_every_second_stored_frame_and_every_clip_once(data, vocabulary):
    stored = data.in_split("test")
    clips = for_inference(data, "test", MODEL, vocabulary, batch_size=4)
    frames = np.concatenate([inputs["frames"] for inputs, _, _ in clips.as_numpy_iterator()])
    assert frames.shape == (len(stored), 4, 32, 40, 3)
    assert numbers(frames) == [stored_numbers(clip.id)[::2] for clip in stored]


def test_a_model_of_frames_alone_gets_padding_and_traces_no_tokenizer(data, vocabulary, monkeypatch):
    monkeypatch.setattr(pipeline, "text_encoder", None)
    config = dataclasses.replace(MODEL, branches="video")
    (batch,) = for_inference(data, "validation", config, vocabulary, batch_size=100).as_numpy_iterator()
    token_ids = batch[0]["token_ids"]
    assert (token_ids.dtype, token_ids.shape[1]) == (np.int32, MODEL.num_tokens)
    assert not token_ids.any()


def test_words_labels_and_weights(data, vocabulary):
    stored = data.in_split("validation")
    (batch,) = for_inference(data, "validation", MODEL, vocabulary, batch_size=100).as_numpy_iterator()
    inputs, labels, weights = batch
    names = data.labels
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


def test_training_takes_one_offset_a_clip(data, vocabulary):
    known = {tuple(stored_numbers(f"clip{i:02d}")[offset::2]) for i in range(NUM_CLIPS) for offset in (0, 1)}
    seen = {tuple(clip) for inputs, _, _ in batches(data, vocabulary) for clip in numbers(inputs["frames"])}
    assert seen <= known
    starts = {clip[0] for clip in seen}
    assert len(starts & {stored_numbers(f"clip{i:02d}")[1] for i in range(NUM_CLIPS)}) > 0


def test_batches_are_static(data, vocabulary):
    clips = for_training(data, MODEL, vocabulary, PLAIN)
    inputs, labels, weights = clips.element_spec
    assert inputs["frames"].shape == (4, 4, 32, 40, 3)
    assert inputs["token_ids"].shape == (4, 12)
    assert labels["topic"].shape == (4, 2)
    assert weights["colour"].shape == labels["colour"].shape == (4,)
    assert sum(len(inputs["frames"]) for inputs, _, _ in clips.as_numpy_iterator()) == data.count("train") // 4 * 4


def test_a_seed_decides_and_epochs_differ(data, vocabulary):
    clips = for_training(data, MODEL, vocabulary, TRAIN)
    first, second = ([inputs["frames"] for inputs, _, _ in clips.as_numpy_iterator()] for _ in range(2))
    again = [inputs["frames"] for inputs, _, _ in for_training(data, MODEL, vocabulary, TRAIN).as_numpy_iterator()]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    other = for_training(data, MODEL, vocabulary, dataclasses.replace(TRAIN, seed=1))
    assert not np.array_equal(first, [inputs["frames"] for inputs, _, _ in other.as_numpy_iterator()])


def test_a_resumed_run_sees_what_it_would_have_seen(data, vocabulary):
    steps = data.count("train") // TRAIN.batch_size
    whole = for_training(data, MODEL, vocabulary, TRAIN, first_epoch=0).take(3 * steps)
    resumed = for_training(data, MODEL, vocabulary, TRAIN, first_epoch=2).take(steps)
    expected = [inputs["frames"] for inputs, _, _ in whole.as_numpy_iterator()][2 * steps :]
    np.testing.assert_array_equal(expected, [inputs["frames"] for inputs, _, _ in resumed.as_numpy_iterator()])


def test_class_weights_multiply(data, vocabulary):
    weighted = functools.partial(targets, labels=data.labels, class_weights={"colour": [2.0, 5.0]})
    for _, labels, weights in batches(data, vocabulary, to_targets=weighted):
        allowed = {(0, 0.0), (0, 2.0), (1, 5.0)}
        assert set(zip(labels["colour"].tolist(), weights["colour"].tolist(), strict=True)) <= allowed


def test_load_dataset_is_what_fit_takes(data_set, vocabulary):
    train = load_dataset(data_set, "train", MODEL, vocabulary, batch_size=5)
    assert train.element_spec[0]["frames"].shape[0] == 5
    test = load_dataset(data_set, "test", MODEL, vocabulary, batch_size=5)
    assert sum(len(weights["colour"]) for _, _, weights in test.as_numpy_iterator()) == open_data_set(data_set).count(
        "test"
    )


def test_clear_errors(data_set, vocabulary):
    with pytest.raises(InputError, match=r"has no clips in the split 'tset'; it has: .*train"):
        load_dataset(data_set, "tset", MODEL, vocabulary)
    for split in ("train", "test"):
        with pytest.raises(InputError, match=r"batch_size: expected .*Received: 0"):
            load_dataset(data_set, split, MODEL, vocabulary, batch_size=0)
    with pytest.raises(InputError, match="num_frames"):
        load_dataset(data_set, "test", ModelConfig(num_frames=3), vocabulary)
