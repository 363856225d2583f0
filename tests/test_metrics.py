from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.metrics import calibration, multi_label_metrics, single_label_metrics, wilson_interval

NAMES = ["猫", "dog", "fish"]
SCORES = np.array(
    [
        [0.7, 0.2, 0.1],  # right
        [0.5, 0.4, 0.1],  # wrong: second is the truth
        [0.1, 0.3, 0.6],  # wrong: third choice is the truth
        [0.2, 0.7, 0.1],  # right
        [0.1, 0.1, 0.8],  # not labelled
    ]
)
CLASS_IDS = np.array([0, 1, 0, 1, -1])


def random_scores(seed: int, num_clips: int, num_classes: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(num_classes), num_clips)


def test_single_label_figures_worked_by_hand():
    figures = single_label_metrics(SCORES, CLASS_IDS, NAMES)
    assert figures["num_clips"] == 4
    assert figures["accuracy"] == 0.5
    assert figures["top_k"] == {"2": 0.75}
    assert figures["confusion_matrix"] == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert figures["per_class"]["猫"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert figures["per_class"]["dog"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert figures["per_class"]["fish"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert figures["balanced_accuracy"] == 0.5
    assert figures["macro_f1"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert figures["log_loss"] == pytest.approx(-math.log(0.7 * 0.4 * 0.1 * 0.7) / 4)
    # Bins of width 1/15: 0.5 and 0.6 are alone and wrong, the two 0.7 share one and are right.
    assert figures["calibration_error"] == pytest.approx((0.5 + 0.6 + 2 * 0.3) / 4)


def test_wilson_interval_is_the_closed_formula():
    correct, clips, z = 37, 50, 1.959963984540054
    share = correct / clips
    center = (share + z**2 / (2 * clips)) / (1 + z**2 / clips)
    half = z / (1 + z**2 / clips) * math.sqrt(share * (1 - share) / clips + z**2 / (4 * clips**2))
    assert wilson_interval(correct, clips) == pytest.approx([center - half, center + half])
    assert wilson_interval(0, 0) is None


def test_figures_agree_with_sklearn():
    scores, class_ids = random_scores(0, 200, 6), np.random.default_rng(1).integers(0, 6, 200)
    figures = single_label_metrics(scores, class_ids, list("abcdef"))
    answers = scores.argmax(axis=1)
    assert figures["log_loss"] == pytest.approx(sklearn_metrics.log_loss(class_ids, scores))
    assert figures["balanced_accuracy"] == pytest.approx(sklearn_metrics.balanced_accuracy_score(class_ids, answers))
    assert figures["macro_f1"] == pytest.approx(sklearn_metrics.f1_score(class_ids, answers, average="macro"))
    for k in (2, 3, 5):
        expected = sklearn_metrics.top_k_accuracy_score(class_ids, scores, k=k)
        assert figures["top_k"][str(k)] == pytest.approx(expected)


def test_baseline_is_the_class_most_frequent_in_training():
    class_ids = np.array([0, 0, 0, 1])
    scores = np.full((4, 2), 0.5)
    assert single_label_metrics(scores, class_ids, ["a", "b"])["baseline"] == 0.75
    assert single_label_metrics(scores, class_ids, ["a", "b"], train_counts=[3, 10])["baseline"] == 0.25


def test_equal_scores_are_answered_with_the_first_class():
    figures = single_label_metrics(np.full((4, 4), 0.25), np.arange(4), list("abcd"))
    assert figures["accuracy"] == 0.25
    assert figures["top_k"] == {"2": 0.5, "3": 0.75}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 40))
def test_the_order_of_clips_changes_nothing(seed: int, num_classes: int, num_clips: int):
    rng = np.random.default_rng(seed)
    names = [str(k) for k in range(num_classes)]
    scores, class_ids = random_scores(seed, num_clips, num_classes), rng.integers(-1, num_classes, num_clips)
    targets, labelled = rng.integers(0, 2, scores.shape), rng.random(num_clips) < 0.8
    order, thresholds = rng.permutation(num_clips), np.full(num_classes, 0.4)
    one = single_label_metrics(scores, class_ids, names)
    assert_same(one, single_label_metrics(scores[order], class_ids[order], names))
    many = multi_label_metrics(scores, targets, labelled, names, thresholds)
    assert_same(many, multi_label_metrics(scores[order], targets[order], labelled[order], names, thresholds))


def assert_same(one: object, other: object) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list):
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        assert one == pytest.approx(other, abs=1e-12)  # sums in another order differ in the last bits


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True))
def test_scores_that_come_true_as_often_as_they_say_have_no_calibration_error(numerators: list[int]):
    confidences = np.repeat([numerator / 20 for numerator in numerators], 20)
    correct = np.concatenate([np.arange(20) < numerator for numerator in numerators])
    error, bins = calibration(confidences, correct)
    assert error == pytest.approx(0, abs=1e-12)
    assert sum(bin_["num_scores"] for bin_ in bins) == len(confidences)


def test_calibration_error_is_the_gap_between_score_and_truth():
    correct = np.arange(100) < 55
    error, bins = calibration(np.full(100, 0.95), correct)
    assert error == pytest.approx(0.40)
    assert bins[14] == pytest.approx({"confidence": 0.95, "accuracy": 0.55, "num_scores": 100})
    assert bins[0] == {"confidence": None, "accuracy": None, "num_scores": 0}


def test_bins_are_closed_on_the_right():
    _, bins = calibration(np.array([0.0, 0.2, 0.21, 1.0]), np.ones(4, bool))
    assert {m: bin_["num_scores"] for m, bin_ in enumerate(bins) if bin_["num_scores"]} == {0: 1, 2: 1, 3: 1, 14: 1}


def test_multi_label_figures_worked_by_hand():
    scores = np.array([[0.9, 0.6, 0.1], [0.2, 0.8, 0.1], [0.6, 0.3, 0.2], [0.4, 0.1, 0.1], [1.0, 1.0, 1.0]])
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]])
    labelled = np.array([True, True, True, True, False])
    figures = multi_label_metrics(scores, targets, labelled, NAMES, np.array([0.5, 0.7, 0.5]))
    assert figures["num_clips"] == 4
    assert figures["accuracy"] == 0.75  # the fourth answers nothing
    assert figures["baseline"] == 0.5  # {猫} for everything
    assert figures["per_class"]["猫"] == pytest.approx(
        {"precision": 1, "recall": 2 / 3, "f1": 0.8, "support": 3, "average_precision": 1}
    )
    # dog: truth at ranks 1 and 4 of 4
    assert figures["per_class"]["dog"]["average_precision"] == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert figures["per_class"]["fish"]["average_precision"] is None
    assert figures["mean_average_precision"] == pytest.approx((1 + 0.75) / 2)
    assert figures["micro"] == pytest.approx({"precision": 1, "recall": 3 / 5, "f1": 0.75})
    assert figures["macro"] == pytest.approx({"precision": 1, "recall": 7 / 12, "f1": (0.8 + 2 / 3) / 2})


def test_multi_label_figures_agree_with_sklearn():
    rng = np.random.default_rng(3)
    scores, targets = rng.random((150, 4)), rng.integers(0, 2, (150, 4))
    thresholds = np.array([0.3, 0.5, 0.6, 0.9])
    figures = multi_label_metrics(scores, targets, np.ones(150, bool), list("abcd"), thresholds)
    for average in ("micro", "macro"):
        expected = sklearn_metrics.precision_recall_fscore_support(targets, scores >= thresholds, average=average)
        assert list(figures[average].values()) == pytest.approx(expected[:3])
    assert figures["mean_average_precision"] == pytest.approx(sklearn_metrics.average_precision_score(targets, scores))


@pytest.mark.parametrize("num_clips", [0, 3])
def test_nothing_labelled_gives_nulls(num_clips: int):
    scores = np.full((num_clips, 3), 1 / 3)
    one = single_label_metrics(scores, np.full(num_clips, -1), NAMES)
    many = multi_label_metrics(scores, np.zeros((num_clips, 3)), np.zeros(num_clips, bool), NAMES, np.full(3, 0.5))
    for figures, full in (
        (one, single_label_metrics(SCORES, CLASS_IDS, NAMES)),
        (many, multi_label_metrics(SCORES, SCORES > 0.5, np.ones(5, bool), NAMES, np.full(3, 0.5))),
    ):
        assert figures.keys() == full.keys()
        assert figures.pop("num_clips") == 0
        assert set(figures.values()) == {None}


def test_no_positive_at_all_is_no_failure():
    figures = multi_label_metrics(SCORES, np.zeros((5, 3)), np.ones(5, bool), NAMES, np.full(3, 0.9))
    assert figures["accuracy"] == figures["baseline"] == 1
    assert figures["mean_average_precision"] is None
    assert figures["macro"] == {"precision": None, "recall": None, "f1": None}


def test_figures_are_json():
    one = single_label_metrics(SCORES.astype(np.float32), CLASS_IDS, NAMES)
    many = multi_label_metrics(SCORES, SCORES > 0.5, np.ones(5, bool), NAMES, np.full(3, 0.5))
    for figures in (one, many):
        assert json.loads(json.dumps(figures, allow_nan=False)) == figures


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 7.0])
def test_scores_that_are_no_scores_are_refused(value: float):
    scores = SCORES.copy()
    scores[4, 1] = value
    with pytest.raises(InputError, match=r"scores: expected numbers from 0 to 1\. Received: .* for clip 4"):
        single_label_metrics(scores, CLASS_IDS, NAMES)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"scores: expected shape \(5, 2\)\. Received: \(5, 3\)"):
        single_label_metrics(SCORES, CLASS_IDS, ["a", "b"])
    with pytest.raises(InputError, match=r"class_ids: expected -1 to 2\. Received: \[-1, 0, 1, 3\]"):
        single_label_metrics(SCORES, np.array([0, 1, 3, 1, -1]), NAMES)
    with pytest.raises(InputError, match=r"expected targets \(5, 3\) and labelled \(5,\)"):
        multi_label_metrics(SCORES, np.zeros((5, 2)), np.ones(5, bool), NAMES, np.full(3, 0.5))
