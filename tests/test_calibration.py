"""The clips from which int8 files learn: training clips, else the examples of the run folder, else none."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest

from vidmodel_tf.export.lite.calibration import choose_calibration
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference


def test_training_clips_are_those_of_the_input_pipeline(plain, monkeypatch):
    monkeypatch.setattr("vidmodel_tf.export.lite.calibration.NUM_CALIBRATION_CLIPS", 5)
    data = open_data_set(plain.data)
    calibration = choose_calibration(plain, data)
    batches = for_inference(data, "train", plain.config.model, plain.vocabulary, batch_size=1).as_numpy_iterator()
    expected = [inputs for inputs, _, _ in itertools.islice(batches, 5)]
    assert calibration.notes == ()
    for found, wanted in zip(calibration.clips(), expected, strict=True):
        np.testing.assert_array_equal(found["frames"], wanted["frames"])
        np.testing.assert_array_equal(found["token_ids"], wanted["token_ids"])


def test_a_frame_stands_beside_the_one_before_it(plain):
    calibration = choose_calibration(plain, None)
    pairs, (clip, *_) = list(calibration.frame_pairs()), calibration.clips()
    num_frames = plain.config.model.num_frames
    assert len(pairs) == num_frames * len(calibration.questions)
    frames = clip["frames"][0]
    np.testing.assert_array_equal(np.concatenate([pair["frame"] for pair in pairs[:num_frames]]), frames)
    previous = np.concatenate([pair["previous_frame"] for pair in pairs[:num_frames]])
    np.testing.assert_array_equal(previous, np.concatenate([frames[:1], frames[:-1]]))


def test_without_the_data_set_the_examples_serve(plain):
    calibration = choose_calibration(plain, None)
    examples = json.loads((plain.path / "examples" / "examples.json").read_text())
    assert [question.id for question in calibration.questions] == [example["id"] for example in examples]
    (note,) = calibration.notes
    assert f"calibrated with {len(examples)} examples of the run folder, not with training clips" in note


def test_without_examples_there_is_nothing_to_learn_from(plain, tmp_path):
    calibration = choose_calibration(dataclasses.replace(plain, path=tmp_path), None)
    assert calibration.questions == ()
    assert "int8 files were left out" in calibration.notes[0]


@pytest.mark.slow
def test_a_model_of_words_alone_is_calibrated_too(trained_runs):
    words = trained_runs("words")
    clip = next(choose_calibration(words, open_data_set(words.data)).clips())
    model = words.config.model
    assert clip["frames"].shape == (1, model.num_frames, model.height, model.width, 3)
    assert not clip["frames"].any()
    assert clip["token_ids"].shape == (1, model.num_tokens)
