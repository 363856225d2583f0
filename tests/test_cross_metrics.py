"""Figures of a cross-validation, held against closed formulas and properties."""

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.cross_metrics import bootstrap_interval, paired_difference, pooled_metrics


def rows(hits, seeds=2, folds=2, source_of=lambda i: f"s{i}"):
    """hits[seed][i]: whether clip i was answered rightly with that seed."""
    return [
        {
            "seed": seed, "fold": 1 + i % folds, "id": f"c{i}", "source": source_of(i),
            "heads": {"label": {"truth": "a", "answer": "a" if hits[seed][i] else "b", "scores": [0.5, 0.5]}},
        }
        for seed in range(seeds)
        for i in range(len(hits[seed]))
    ]  # fmt: skip


def test_pooled_accuracy_and_its_spread():
    found = pooled_metrics(rows([[1, 1, 1, 0], [1, 0, 0, 0]]), "label")
    assert found["pooled_accuracy"] == 0.5
    assert found["mean"] == pytest.approx(np.mean([1.0, 0.5, 0.5, 0.0]))  # folds hold clips 0, 2 and 1, 3
    assert found["sd_over_folds"] == pytest.approx(np.std([1.0, 0.5, 0.5, 0.0], ddof=1))
    assert found["sd_over_seeds"] == pytest.approx(np.std([0.75, 0.25], ddof=1))
    assert (found["num_clips"], found["num_sources"]) == (4, 4)


def test_clips_without_an_answer_are_left_out():
    predictions = rows([[1, 0], [1, 0]])
    for row in predictions[1::2]:
        row["heads"]["label"]["truth"] = None
    assert pooled_metrics(predictions, "label")["pooled_accuracy"] == 1.0
    assert pooled_metrics(predictions[1::2], "label") is None


def test_interval_of_independent_clips_is_the_binomial_one():
    hits = np.random.default_rng(0).random(400) < 0.7
    low, high = bootstrap_interval([f"s{i}" for i in range(400)], hits)
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 400)
    # a percentile bootstrap with 10 000 draws: its ends vary by about 1 % of the interval's width
    assert (low, high) == pytest.approx((hits.mean() - half, hits.mean() + half), abs=0.004)


def test_clips_of_one_source_do_not_count_as_many():
    hits = np.repeat(np.random.default_rng(0).random(20) < 0.5, 20)  # all clips of a source alike
    apart = bootstrap_interval([f"s{i}" for i in range(400)], hits)
    together = bootstrap_interval([f"s{i // 20}" for i in range(400)], hits)
    assert (together[1] - together[0]) / (apart[1] - apart[0]) == pytest.approx(np.sqrt(20), rel=0.1)


def test_pairs_tell_what_separate_intervals_do_not():
    rng = np.random.default_rng(0)
    hard = rng.random(300) < 0.5
    one = hard | (rng.random(300) < 0.1)
    better, worse = rows([one, one]), rows([hard, hard])
    found = paired_difference(better, worse, "label")
    assert found["difference"] == pytest.approx(one.mean() - hard.mean())
    assert found["interval_95"][0] > 0 and found["verdict"] == "better"
    assert paired_difference(worse, better, "label")["verdict"] == "worse"
    assert paired_difference(worse, worse, "label") == {
        "difference": 0.0, "interval_95": [0.0, 0.0], "verdict": "not told apart",
    }  # fmt: skip
    separate = [pooled_metrics(each, "label")["interval_95"] for each in (better, worse)]
    assert separate[1][1] > separate[0][0]  # they overlap


def test_other_clips_are_no_pairs():
    with pytest.raises(InputError, match=r"same clips with the same answers for the head 'label'.* 2 and 3 labelled"):
        paired_difference(rows([[1, 0]], seeds=1), rows([[1, 0, 1]], seeds=1), "label")


def test_one_source_says_nothing_of_others():
    one, other = (rows([[1] * hits + [0] * (100 - hits)], seeds=1, source_of=lambda i: "s") for hits in (51, 50))
    assert pooled_metrics(one, "label")["interval_95"] == [None, None]
    found = paired_difference(one, other, "label")
    assert (found["interval_95"], found["verdict"]) == ([None, None], "not told apart")
