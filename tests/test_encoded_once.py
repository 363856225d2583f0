"""Frames are encoded once, whatever the number of questions about them, in the same numbers as alone."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.conftest import MODEL, PREPARE
from tests.data_sets import copy_data_set
from tests.videos import write_video
from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.forms.encoded_once import EncodedOnce
from vidmodel_tf.model.backbones import build_backbone
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.training import encode_shards
from vidmodel_tf.training.encoded_files import encoded_files

CONFIG = ModelConfig(num_frames=2, height=32, width=32)


class GreyForm:
    """The features of a frame are its mean grey."""

    def __init__(self, config=CONFIG):
        self.run = SimpleNamespace(config=SimpleNamespace(model=config))
        self.batches = []

    def encode(self, frames):
        self.batches.append(len(frames))
        return frames.mean(axis=(2, 3, 4))[..., np.newaxis]


def question(grey, asked):
    frames = [np.full((32, 32, 3), grey + 5 * t, np.uint8) for t in (0, 1)]
    return Question(f"{grey}?{asked}", tuple(cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames), asked)


def encode_all(form, questions, batch_size):
    encoded, remaining = EncodedOnce(form), iter(questions)
    batches = iter(lambda: list(itertools.islice(remaining, batch_size)), [])
    return np.concatenate([encoded.encode(batch) for batch in batches])


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 20])
def test_neighbours_with_the_same_frames_are_encoded_once(batch_size):
    form, greys = GreyForm(), [10, 10, 10, 40, 70, 70, 70, 70, 70, 90]
    features = encode_all(form, [question(grey, f"question {i}") for i, grey in enumerate(greys)], batch_size)
    np.testing.assert_allclose(features[..., 0], [[grey, grey + 5] for grey in greys], atol=1)  # JPEG
    assert sum(form.batches) == 4


def test_batches_of_different_clips_are_encoded_whole():
    """So the numbers of clips without questions are what they were before."""
    form = GreyForm()
    encode_all(form, [question(grey, "") for grey in range(0, 220, 22)], 4)
    assert form.batches == [4, 4, 2]


def test_a_model_of_words_alone_encodes_nothing():
    form = GreyForm(dataclasses.replace(CONFIG, branches="text"))
    assert EncodedOnce(form).encode([question(10, "")]) is None
    assert form.batches == []


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Five videos with three questions each."""
    folder = tmp_path_factory.mktemp("asked")
    rows = ["path,question,label"]
    for number in range(5):
        write_video(folder / f"{number}.mp4", num_frames=12, first_number=20 * number)
        rows += [f"{number}.mp4,question {q}?,{'abc'[q]}" for q in range(3)]
    (folder / "my.csv").write_text("\n".join(rows))
    config = dataclasses.replace(PREPARE, validation_fraction=0.0, test_fraction=0.0)
    prepare(folder / "my.csv", folder / "data", config)
    return open_data_set(folder / "data")


def test_the_feature_cache_encodes_each_clip_once(data, monkeypatch, tmp_path):
    cnn, views = build_backbone("small_cnn", MODEL.height, MODEL.width, "none"), ("plain", "mirrored")
    passes, plain = [], encode_shards._encode

    def counting(clips, encode):
        return plain(clips, lambda frames: passes.append(len(frames)) or encode(frames))

    monkeypatch.setattr(encode_shards, "_encode", counting)
    shared = encoded_files(data, "train", cnn, MODEL, views=views)
    assert sum(passes) == 2 * 5
    alone = open_data_set(copy_data_set(data.path, tmp_path / "alone"))
    monkeypatch.setattr(
        encode_shards, "_share_frames", lambda clips: (([example], frames) for example, frames in clips)
    )
    one_by_one = encoded_files(alone, "train", cnn, MODEL, views=views)
    assert sum(passes) == 2 * 5 + 2 * 15
    for record, expected in zip(shared.records.in_order(), one_by_one.records.in_order(), strict=True):
        for view in (0, 1):
            (example, values), (other, other_values) = shared.parse(record, view), one_by_one.parse(expected, view)
            assert example["id"] == other["id"]
            np.testing.assert_allclose(values, other_values, atol=1e-5)  # float32 sums in batches of other sizes
