"""No data set that is read chooses its parallelism while it is read: its end could be waited for."""

from __future__ import annotations

import dataclasses

import pytest
import tensorflow as tf

from tests.conftest import MODEL, TRAIN
from tests.data_sets import copy_data_set
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.fixed_parallelism import fixed_parallelism
from vidmodel_tf.records.pipeline import for_inference, for_training
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.training.train import train


@pytest.fixture
def read(monkeypatch):
    """The data sets that were iterated over."""
    found, iterate = [], tf.data.Dataset.__iter__
    monkeypatch.setattr(tf.data.Dataset, "__iter__", lambda self: found.append(self) or iterate(self))
    return found


@pytest.mark.slow
def test_every_data_set_that_training_and_evaluation_read(data_set, backbone_weights, tmp_path, read):
    data = copy_data_set(data_set, tmp_path / "data")
    model = dataclasses.replace(MODEL, weights=str(backbone_weights), branches="video")
    train(data, tmp_path / "run", model, dataclasses.replace(TRAIN, epochs=1, fine_tune_epochs=1))
    evaluate(tmp_path / "run")
    assert len(read) >= 2 * len(("cache", "training", "validation"))  # of two stages
    assert {dataset.options().autotune.enabled for dataset in read} == {False}


def test_batches_of_stored_frames(data_set):
    data, config = open_data_set(data_set), dataclasses.replace(MODEL, branches="video")
    vocabulary = Vocabulary.from_dataset(data)
    batches = [
        for_inference(data, "test", config, vocabulary, batch_size=4),
        for_training(data, config, vocabulary, TRAIN),
        for_training(data, config, vocabulary, TRAIN, first_epoch=0),
    ]
    assert {dataset.options().autotune.enabled for dataset in batches} == {False}


def test_elements_stay_as_they_are():
    doubled = tf.data.Dataset.range(100).map(lambda number: 2 * number, num_parallel_calls=tf.data.AUTOTUNE)
    assert list(fixed_parallelism(doubled).as_numpy_iterator()) == list(range(0, 200, 2))
