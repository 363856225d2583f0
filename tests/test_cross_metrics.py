"""Figures of a cross-validation, held against closed formulas and properties."""

import dataclasses

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.cross_metrics import paired_difference, pooled_metrics
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction
from vidmodel_tf.evaluation.results import PairedDifference


def rows(hits, seeds=2, folds=2, source_of=lambda i: f"s{i}"):
    """hits[seed][i]: whether clip i was answered rightly with that seed."""
    answers = [HeadPrediction("a", "b", (0.5, 0.5)), HeadPrediction("a", "a", (0.5, 0.5))]
    return [
        Prediction(seed, 1 + i % folds, f"c{i}", source_of(i), {"label": answers[int(hits[seed][i])]})
        for seed in range(seeds)
        for i in range(len(hits[seed]))
    ]


def test_pooled_accuracy_and_its_spread():
    found = pooled_metrics(rows([[1, 1, 1, 0], [1, 0, 0, 0]]), "label")
    assert found.pooled_accuracy == 0.5
    assert found.mean == pytest.approx(np.mean([1.0, 0.5, 0.5, 0.0]))  # folds hold clips 0, 2 and 1, 3
    assert found.sd_over_folds == pytest.approx(np.std([1.0, 0.5, 0.5, 0.0], ddof=1))
    assert found.sd_over_seeds == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert (found.num_clips, found.num_sources) == (4, 4)


def test_clips_without_an_answer_are_left_out():
    predictions = rows([[1, 0], [1, 0]])
    predictions[1::2] = [
        dataclasses.replace(row, heads={"label": HeadPrediction(None, "a")}) for row in predictions[1::2]
    ]
    assert pooled_metrics(predictions, "label").pooled_accuracy == 1.0
    assert pooled_metrics(predictions[1::2], "label") is None


def test_pairs_tell_what_separate_intervals_do_not():
    rng = np.random.default_rng(0)
    hard = rng.random(300) < 0.5
    one = hard | (rng.random(300) < 0.1)
    better, worse = rows([one, one]), rows([hard, hard])
    found = paired_difference(better, worse, "label")
    assert found.difference == pytest.approx(one.mean() - hard.mean())
    assert found.interval_95[0] > 0 and found.verdict == "better"
    assert paired_difference(worse, better, "label").verdict == "worse"
    assert paired_difference(worse, worse, "label") == PairedDifference(0.0, (0.0, 0.0), "not told apart")
    separate = [pooled_metrics(each, "label").interval_95 for each in (better, worse)]
    assert separate[1][1] > separate[0][0]  # they overlap


def test_other_clips_are_no_pairs():
    with pytest.raises(InputError, match=r"same clips with the same answers for the head 'label'.* 2 and 3 labelled"):
        paired_difference(rows([[1, 0]], seeds=1), rows([[1, 0, 1]], seeds=1), "label")


def test_one_source_says_nothing_of_others():
    one, other = (rows([[1] * hits + [0] * (100 - hits)], seeds=1, source_of=lambda i: "s") for hits in (51, 50))
    assert pooled_metrics(one, "label").interval_95 == (None, None)
    found = paired_difference(one, other, "label")
    assert (found.interval_95, found.verdict) == ((None, None), "not told apart")
