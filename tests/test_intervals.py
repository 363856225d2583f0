"""Intervals against closed formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vidmodel_tf.evaluation.intervals import bootstrap_interval, wilson_interval


def test_wilson_interval_is_the_closed_formula():
    correct, clips, z = 37, 50, 1.959963984540054
    share = correct / clips
    center = (share + z**2 / (2 * clips)) / (1 + z**2 / clips)
    half = z / (1 + z**2 / clips) * math.sqrt(share * (1 - share) / clips + z**2 / (4 * clips**2))
    assert wilson_interval(correct, clips) == pytest.approx((center - half, center + half))
    assert wilson_interval(0, 0) is None


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
