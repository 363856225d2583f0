from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.metrics import multi_label_metrics, single_label_metrics
from vidmodel_tf.evaluation.results import AverageFigures, MultiLabelResult, SingleLabelResult

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
    assert figures.num_clips == 4
    assert figures.accuracy == 0.5
    assert figures.top_k == {2: 0.75}
    assert figures.confusion_matrix == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert dataclasses.astuple(figures.per_class["猫"]) == pytest.approx((0.5, 0.5, 0.5, 2))
    assert dataclasses.astuple(figures.per_class["dog"]) == pytest.approx((1, 0.5, 2 / 3, 2))
    assert dataclasses.astuple(figures.per_class["fish"]) == pytest.approx((0, 0, 0, 0))
    assert figures.balanced_accuracy == 0.5
    assert figures.macro_f1 == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert figures.log_loss == pytest.approx(-math.log(0.7 * 0.4 * 0.1 * 0.7) / 4)
    # Bins of width 1/15: 0.5 and 0.6 are alone and wrong, the two 0.7 share one and are right.
    assert figures.calibration_error == pytest.approx((0.5 + 0.6 + 2 * 0.3) / 4)


def test_figures_agree_with_sklearn():
    scores, class_ids = random_scores(0, 200, 6), np.random.default_rng(1).integers(0, 6, 200)
    figures = single_label_metrics(scores, class_ids, list("abcdef"))
    answers = scores.argmax(axis=1)
    assert figures.log_loss == pytest.approx(sklearn_metrics.log_loss(class_ids, scores))
    assert figures.balanced_accuracy == pytest.approx(sklearn_metrics.balanced_accuracy_score(class_ids, answers))
    assert figures.macro_f1 == pytest.approx(sklearn_metrics.f1_score(class_ids, answers, average="macro"))
    for k in (2, 3, 5):
        expected = sklearn_metrics.top_k_accuracy_score(class_ids, scores, k=k)
        assert figures.top_k[k] == pytest.approx(expected)


def test_baseline_is_the_class_most_frequent_in_training():
    class_ids = np.array([0, 0, 0, 1])
    scores = np.full((4, 2), 0.5)
    assert single_label_metrics(scores, class_ids, ["a", "b"]).baseline == 0.75
    assert single_label_metrics(scores, class_ids, ["a", "b"], train_counts=[3, 10]).baseline == 0.25


def test_equal_scores_are_answered_with_the_first_class():
    figures = single_label_metrics(np.full((4, 4), 0.25), np.arange(4), list("abcd"))
    assert figures.accuracy == 0.25
    assert figures.top_k == {2: 0.5, 3: 0.75}


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
    if dataclasses.is_dataclass(one):
        assert_same(vars(one), vars(other))
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    else:
        assert one == pytest.approx(other, abs=1e-12)  # sums in another order differ in the last bits


def test_multi_label_figures_worked_by_hand():
    scores = np.array([[0.9, 0.6, 0.1], [0.2, 0.8, 0.1], [0.6, 0.3, 0.2], [0.4, 0.1, 0.1], [1.0, 1.0, 1.0]])
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]])
    labelled = np.array([True, True, True, True, False])
    figures = multi_label_metrics(scores, targets, labelled, NAMES, np.array([0.5, 0.7, 0.5]))
    assert figures.num_clips == 4
    assert figures.accuracy == 0.75  # the fourth answers nothing
    assert figures.baseline == 0.5  # {猫} for everything
    assert dataclasses.astuple(figures.per_class["猫"]) == pytest.approx((1, 2 / 3, 0.8, 3, 1))
    # dog: truth at ranks 1 and 4 of 4
    assert figures.per_class["dog"].average_precision == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert figures.per_class["fish"].average_precision is None
    assert figures.mean_average_precision == pytest.approx((1 + 0.75) / 2)
    assert dataclasses.astuple(figures.micro) == pytest.approx((1, 3 / 5, 0.75))
    assert dataclasses.astuple(figures.macro) == pytest.approx((1, 7 / 12, (0.8 + 2 / 3) / 2))


def test_multi_label_figures_agree_with_sklearn():
    rng = np.random.default_rng(3)
    scores, targets = rng.random((150, 4)), rng.integers(0, 2, (150, 4))
    thresholds = np.array([0.3, 0.5, 0.6, 0.9])
    figures = multi_label_metrics(scores, targets, np.ones(150, bool), list("abcd"), thresholds)
    for average in ("micro", "macro"):
        expected = sklearn_metrics.precision_recall_fscore_support(targets, scores >= thresholds, average=average)
        assert dataclasses.astuple(getattr(figures, average)) == pytest.approx(expected[:3])
    assert figures.mean_average_precision == pytest.approx(sklearn_metrics.average_precision_score(targets, scores))


@pytest.mark.parametrize("num_clips", [0, 3])
def test_nothing_labelled_gives_nulls(num_clips: int):
    scores = np.full((num_clips, 3), 1 / 3)
    one = single_label_metrics(scores, np.full(num_clips, -1), NAMES)
    many = multi_label_metrics(scores, np.zeros((num_clips, 3)), np.zeros(num_clips, bool), NAMES, np.full(3, 0.5))
    assert one == SingleLabelResult()
    assert many == MultiLabelResult()
    for figures in (one, many):
        assert set(figures.to_json().values()) == {0, None}


def test_a_multi_label_head_may_have_one_class():
    targets, answers = np.array([[1], [0], [1], [0]]), np.array([[0.9], [0.9], [0.1], [0.1]])
    figures = multi_label_metrics(answers, targets, np.ones(4, bool), ["dog"], [0.5])
    assert dataclasses.astuple(figures.per_class["dog"])[:4] == (0.5, 0.5, 0.5, 2)
    assert figures.micro == figures.macro == AverageFigures(0.5, 0.5, 0.5)


def test_no_positive_at_all_is_no_failure():
    figures = multi_label_metrics(SCORES, np.zeros((5, 3)), np.ones(5, bool), NAMES, np.full(3, 0.9))
    assert figures.accuracy == figures.baseline == 1
    assert figures.mean_average_precision is None
    assert figures.macro == AverageFigures(None, None, None)


def test_figures_are_json():
    one = single_label_metrics(SCORES.astype(np.float32), CLASS_IDS, NAMES)
    many = multi_label_metrics(SCORES, SCORES > 0.5, np.ones(5, bool), NAMES, np.full(3, 0.5))
    for figures in (one, many):
        assert json.loads(json.dumps(figures.to_json(), allow_nan=False)) == figures.to_json()


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
