from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.evaluation.calibration import calibration
from vidmodel_tf.evaluation.results import CalibrationBin


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True))
def test_scores_that_come_true_as_often_as_they_say_have_no_calibration_error(numerators: list[int]):
    confidences = np.repeat([numerator / 20 for numerator in numerators], 20)
    correct = np.concatenate([np.arange(20) < numerator for numerator in numerators])
    error, bins = calibration(confidences, correct)
    assert error == pytest.approx(0, abs=1e-12)
    assert sum(bin_.num_scores for bin_ in bins) == len(confidences)


def test_calibration_error_is_the_gap_between_score_and_truth():
    correct = np.arange(100) < 55
    error, bins = calibration(np.full(100, 0.95), correct)
    assert error == pytest.approx(0.40)
    assert dataclasses.astuple(bins[14]) == pytest.approx((0.95, 0.55, 100))
    assert bins[0] == CalibrationBin(None, None, 0)


def test_bins_are_closed_on_the_right():
    _, bins = calibration(np.array([0.0, 0.2, 0.21, 1.0]), np.ones(4, bool))
    assert {m: bin_.num_scores for m, bin_ in enumerate(bins) if bin_.num_scores} == {0: 1, 2: 1, 3: 1, 14: 1}
