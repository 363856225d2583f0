import statistics

import pytest

from vidmodel_tf.run_folder.clip_seconds import ClipSeconds


def test_the_median_and_the_tails():
    durations = [float(seconds) for seconds in range(1, 102)]
    found = ClipSeconds.of(reversed(durations))
    assert found.median == statistics.median(durations) == 51
    assert sum(seconds < found.p5 for seconds in durations) == 5
    assert sum(seconds > found.p95 for seconds in durations) == 5


def test_words_without_videos_have_none():
    assert ClipSeconds.of([]) is None
    assert ClipSeconds.of([0.0, 0.0]) is None


def test_float32_noise_is_rounded_off():
    assert ClipSeconds.of([1.2000000476837158]) == ClipSeconds(1.2, 1.2, 1.2)
    assert ClipSeconds.of([0.04]).median == pytest.approx(0.04)
