"""Which frames stand for a clip, against closed formulas in whole numbers and a search written out in full."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.sampling import (
    frames_at,
    sample_times,
    slot_stride,
    slots_for_inference,
    without_rounding,
)

RATES = [Fraction(24000, 1001), 25, Fraction(30000, 1001), 30, Fraction(1, 7), 240]


def closed_formula(num_frames_of_clip: int, num_frames: int) -> list[int]:
    return [(2 * n + 1) * num_frames_of_clip // (2 * num_frames) for n in range(num_frames)]


def test_sample_times_are_the_centres_of_equal_parts():
    np.testing.assert_array_equal(sample_times(2.0, 4.0, 4), [2.25, 2.75, 3.25, 3.75])
    np.testing.assert_array_equal(sample_times(0.0, 3.0, 1), [1.5])


@pytest.mark.parametrize("num_frames", [0, -1])
def test_sample_times_need_a_frame(num_frames):
    with pytest.raises(InputError, match=f"num_frames: expected 1 or more. Received: {num_frames}"):
        sample_times(0.0, 1.0, num_frames)


@given(
    timestamps=st.lists(st.integers(0, 50), min_size=1, max_size=12),
    times=st.lists(st.integers(-5, 60), max_size=12),
)
def test_frames_at_is_the_last_frame_not_later(timestamps, times):
    timestamps.sort()
    expected = [max([i for i, stamp in enumerate(timestamps) if stamp <= time], default=0) for time in times]
    assert frames_at(np.array(timestamps) / 8, np.array(times) / 8).tolist() == expected


def test_frames_at_between_and_outside():
    # VFR: the first frame is on display before its own timestamp, the last one for ever after
    assert frames_at(np.array([1.0, 1.5, 4.0]), np.array([0.0, 1.0, 1.49, 1.5, 3.99, 4.0, 99.0])).tolist() == [
        0, 0, 0, 1, 1, 2, 2,
    ]  # fmt: skip


def test_frames_at_needs_a_frame():
    with pytest.raises(InputError, match="at least one frame"):
        frames_at(np.array([]), np.array([0.0]))


@pytest.mark.parametrize("rate", RATES)
def test_constant_rate_is_the_closed_formula_for_every_small_case(rate):
    for num_frames_of_clip in range(1, 81):
        timestamps = np.array([float(i / Fraction(rate)) for i in range(num_frames_of_clip)])
        duration = float(num_frames_of_clip / Fraction(rate))
        for num_frames in (1, 2, 3, 5, 8, 16, 32, 40):
            chosen = frames_at(timestamps, sample_times(0.0, duration, num_frames))
            assert chosen.tolist() == closed_formula(num_frames_of_clip, num_frames)


# Ticks of Matroska (1 ms), of MPEG (1/90000 s) and of GIF (10 ms, which can tell 30 frames a second but not 120)
@pytest.mark.parametrize(
    ("tick_seconds", "round_tick", "rates"),
    [
        (1e-3, np.round, RATES),
        (1e-3, np.floor, RATES),
        (1 / 90_000, np.floor, RATES),
        (1e-2, np.round, [10, 15, 25, 30]),
    ],
)
def test_rounded_timestamps_choose_the_same_frames(tick_seconds, round_tick, rates):
    for rate in rates:
        for num_frames_of_clip in (1, 2, 3, 7, 16, 32, 63, 64, 65, 160, 1001):
            exact = np.arange(num_frames_of_clip) / float(rate)
            timestamps = without_rounding(round_tick(exact / tick_seconds) * tick_seconds)
            interval = timestamps[-1] / (num_frames_of_clip - 1) if num_frames_of_clip > 1 else 1 / float(rate)
            chosen = frames_at(timestamps, sample_times(0.0, timestamps[-1] + interval, 32))
            assert chosen.tolist() == closed_formula(num_frames_of_clip, 32)


def test_rounding_decides_between_frames_unless_it_is_undone():
    rounded = np.round(np.arange(64) / 30, 3)
    times = sample_times(0.0, 64 / 30, 32)
    assert frames_at(rounded, times).tolist() != closed_formula(64, 32)
    assert frames_at(without_rounding(rounded), times).tolist() == closed_formula(64, 32)


def test_variable_rates_are_left_alone():
    timestamps = np.array([0.0, 0.04, 0.08, 0.5, 0.54])
    np.testing.assert_array_equal(without_rounding(timestamps), timestamps)
    np.testing.assert_array_equal(without_rounding(np.array([3.0])), [3.0])


@given(
    gaps=st.lists(st.floats(0, 10), max_size=40),
    start=st.floats(0, 5),
    length=st.floats(0.001, 100),
    num_frames=st.integers(1, 64),
)
def test_every_choice_is_in_range_and_non_decreasing(gaps, start, length, num_frames):
    timestamps = without_rounding(np.concatenate([[0.0], np.cumsum(gaps)]))
    assert (np.diff(timestamps) >= 0).all()
    chosen = frames_at(timestamps, sample_times(start, start + length, num_frames))
    assert chosen.shape == (num_frames,)
    assert (np.diff(chosen) >= 0).all()
    assert chosen.min() >= 0
    assert chosen.max() < len(timestamps)


@given(num_frames_of_clip=st.integers(1, 40), num_frames=st.integers(1, 64))
def test_short_clips_repeat_frames_evenly(num_frames_of_clip, num_frames):
    timestamps = np.arange(num_frames_of_clip) / 25
    chosen = frames_at(timestamps, sample_times(0.0, num_frames_of_clip / 25, num_frames))
    repeats = np.bincount(chosen, minlength=num_frames_of_clip)
    assert repeats.max() - repeats.min() <= 1


@given(num_frames=st.integers(1, 64), stride=st.integers(1, 16))
def test_slots(num_frames, stride):
    num_stored = num_frames * stride
    assert slot_stride(num_stored, num_frames) == stride
    assert slots_for_inference(num_stored, num_frames).tolist() == list(range(0, num_stored, stride))


@pytest.mark.parametrize("num_frames", [5, 64, 0, -2])
def test_the_number_of_frames_must_divide_what_is_stored(num_frames):
    with pytest.raises(InputError, match=rf"32 frames.*\(1, 2, 4, 8, 16, 32\).*Received: {num_frames}"):
        slots_for_inference(32, num_frames)
