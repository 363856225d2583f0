"""What a model learns from, clip by clip."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import MODEL
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder.distillation import DistilConfig
from vidmodel_tf.training.objective import DistilledObjective, Objective
from vidmodel_tf.training.teacher_scores import TeacherScores

WORDS = dataclasses.replace(MODEL, branches="text", text_fields=("title",))
OF_LABELS = {"class_weights": {"colour": [2.0, 3.0]}, "label_smoothing": 0.1, "head_weights": {"topic": 0.5}}


@pytest.fixture(scope="module")
def data(data_set):
    return open_data_set(data_set)


def distilled(data, ids, alpha=0.75):
    rng = np.random.default_rng(0)
    scores = {head: rng.random((len(ids), len(names)), np.float32) for head, names in data.labels.items()}
    return DistilledObjective(
        labels=data.labels,
        **OF_LABELS,
        teacher_scores=TeacherScores(ids, scores),
        config=DistilConfig(temperature=2.0, alpha=alpha),
    )


def targets_of(objective, data, split):
    vocabulary = Vocabulary.from_texts([], WORDS.text_fields)
    clips = for_inference(data, split, WORDS, vocabulary, batch_size=100, to_targets=objective.training_targets)
    ((_, values, weights),) = clips.as_numpy_iterator()
    return values, weights


def test_the_teacher_is_asked_by_id_and_counts_where_labels_are_missing(data):
    clips = data.in_split("train")
    objective = distilled(data, [clip.id for clip in reversed(clips)])  # not in the order of the records
    values, weights = targets_of(objective, data, "train")
    plain, plain_weights = targets_of(Objective(labels=data.labels, **OF_LABELS), data, "train")
    assert {clip.labels["colour"] is None for clip in clips} == {True, False}
    for head in data.labels:
        np.testing.assert_array_equal(values[f"teacher.{head}"], objective.teacher_scores.by_head[head][::-1])
        assert (weights[f"teacher.{head}"] == 1).all()
        np.testing.assert_array_equal(values[head], plain[head])
        np.testing.assert_array_equal(weights[head], plain_weights[head])
        assert [weight == 0 for weight in weights[head]] == [clip.labels[head] is None for clip in clips]


def test_a_clip_without_scores_is_not_passed_over(data):
    ids = [clip.id for clip in data.in_split("train")]
    with pytest.raises(tf.errors.InvalidArgumentError):
        targets_of(distilled(data, ids[1:]), data, "train")


def test_alpha_divides_the_weight_of_each_head(data):
    found = distilled(data, ["a"]).compile_arguments()
    assert found["loss_weights"] == {
        "colour": 0.25, "topic": 0.125, "teacher.colour": 0.75, "teacher.topic": 0.375,
    }  # fmt: skip
    assert found["loss"]["teacher.colour"].temperature == found["loss"]["teacher.topic"].temperature == 2.0
    usual = Objective(labels=data.labels, **OF_LABELS).compile_arguments()
    assert usual["loss_weights"] == {"colour": 1.0, "topic": 0.5}
    assert type(found["loss"]["colour"]) is type(usual["loss"]["colour"])
