"""A data set that version 0.1.0 made, without the fields that came later, serves everywhere."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.inspect import inspect
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.training.train import train

OLD = Path(__file__).parent / "data" / "old_data_set"
NUM_FRAMES = 2


@pytest.fixture
def data_dir(tmp_path):
    return shutil.copytree(OLD / "data", tmp_path / "data")


def test_clips_are_what_the_old_code_read(data_dir):
    expected = {clip["id"]: clip for clip in json.loads((OLD / "clips.json").read_text())}
    clips = open_data_set(data_dir).clips
    assert len(clips) == len(expected) == 8
    for clip in clips:
        old = expected[clip.id]
        topics = old["labels"]["topic"]
        assert clip.split == old["split"]
        assert clip.text == dict.fromkeys(TEXT_FIELDS, "") | old["text"]
        assert clip.labels == {**old["labels"], "topic": None if topics is None else tuple(topics)}
        assert clip.words_from == dict.fromkeys(TEXT_FIELDS, "")


def test_its_report_is_read(data_dir):
    data = open_data_set(data_dir)
    assert (data.prepare.short_side, data.report.clip_warnings) == (16, {})
    assert data.prepare.words == ()  # what the default finds today was not found then
    assert data.fingerprint == json.loads((OLD / "data" / "prepare_report.json").read_text())["fingerprint"]


def test_fields_that_it_lacks_are_empty_in_the_graph(data_dir):
    data = open_data_set(data_dir)
    config = dataclasses.replace(MODEL, num_frames=NUM_FRAMES, text_fields=("speech", "title"), min_word_count=1)
    vocabulary = Vocabulary.from_dataset(data, config)
    (batch,) = for_inference(data, "train", config, vocabulary, batch_size=8).as_numpy_iterator()
    questions = [question for _, question in data.questions("train", config)]
    expected = [vocabulary.encode(question.words, config.num_tokens) for question in questions]
    np.testing.assert_array_equal(batch[0]["token_ids"], expected)
    assert (np.array(expected) > 1).any()
    only_new = dataclasses.replace(config, text_fields=("speech",))
    vocabulary = Vocabulary.from_dataset(data, only_new)
    (batch,) = for_inference(data, "train", only_new, vocabulary, batch_size=8).as_numpy_iterator()
    assert not batch[0]["token_ids"].any()


@pytest.mark.slow
def test_it_is_trained_on_and_evaluated(data_dir, backbone_weights, tmp_path):
    config = dataclasses.replace(MODEL, num_frames=NUM_FRAMES, weights=str(backbone_weights), text_fields=TEXT_FIELDS)
    run = train(data_dir, tmp_path / "run", config, dataclasses.replace(TRAIN, epochs=1))
    assert evaluate(run.path).num_clips == 2
    assert list((data_dir / "features").glob("*/plain/*.tfrecord*"))


def test_it_is_inspected(data_dir):
    found = inspect(data_dir)
    assert found.words["subtitles"].clips_with_words == 1
    assert found.words["speech"].clips_with_words == 0
    assert found.words_from["title"] == {}
