"""Which pictures of a live stream are taken, on streams worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.video.frame_grid import FrameGrid, StreamClock
from vidmodel_tf.video.sampling import frames_at

STEP, OFFSET = 0.12, 0.03


def shown(grid: FrameGrid, times: list[float]) -> list[tuple[int, float]]:
    """For each time of the grid, the number of the picture that is taken, and the time."""
    return [(number - 1, time) for number, seconds in enumerate(times) for time in grid.push(seconds)]


def test_regular_pictures():
    taken = shown(FrameGrid(STEP, OFFSET), [10 + number / 25 for number in range(10)])
    assert taken == [(0, pytest.approx(10.03)), (3, pytest.approx(10.15)), (6, pytest.approx(10.27))]


@given(st.lists(st.floats(0.01, 0.2), min_size=2, max_size=40))
def test_the_picture_on_display_as_a_file_is_read(gaps):
    times = np.cumsum([0.0, *gaps])
    taken = shown(FrameGrid(STEP, OFFSET, is_file=True), times.tolist())
    expected = frames_at(times, np.array([time for _, time in taken]))
    assert [number for number, _ in taken] == expected.tolist()
    np.testing.assert_allclose([time for _, time in taken], OFFSET + STEP * np.arange(len(taken)))


@pytest.mark.parametrize("jump", [-5.0, -0.01, 0.3, 1000.0])
def test_a_jump_begins_a_part(jump):
    grid = FrameGrid(STEP, OFFSET)
    assert len(shown(grid, [number / 25 for number in range(10)])) == 3
    assert grid.part == 0
    later = 9 / 25 + jump
    taken = shown(grid, [later + number / 25 for number in range(10)])
    assert grid.part == 1
    assert [time for _, time in taken] == pytest.approx([later + 0.03, later + 0.15, later + 0.27])


def test_a_gap_of_two_steps_is_none():
    grid = FrameGrid(STEP, OFFSET)
    shown(grid, [0.0, 0.04, 0.08, 0.08 + 2 * STEP])
    assert grid.part == 0


def test_a_slow_stream_repeats_its_pictures():
    grid = FrameGrid(STEP, OFFSET)
    taken = shown(grid, [number / 2 for number in range(6)])
    assert grid.part == 1  # the first gap: nothing was known of the stream
    # 0.53 0.65 0.77 0.89 | 1.01 1.13 1.25 1.37 1.49 | 1.61 1.73 1.85 1.97 | 2.09 2.21 2.33 2.45
    assert [number for number, _ in taken] == [1] * 4 + [2] * 5 + [3] * 4 + [4] * 4


def test_the_last_picture_is_shown_for_as_long_as_others():
    grid = FrameGrid(STEP, OFFSET, is_file=True)
    shown(grid, [number / 25 for number in range(4)])
    assert grid.finish() == pytest.approx([0.15])


def test_timestamps_that_can_be_believed():
    clock = StreamClock()
    assert [clock.seconds(time, 100.0 + time) for time in (5.0, 5.04, 3.0, 3.04)] == [5.0, 5.04, 3.0, 3.04]


def test_arrival_where_there_is_no_timestamp():
    clock = StreamClock()
    assert [clock.seconds(None, time) for time in (100.0, 100.1)] == [100.0, 100.1]


def test_arrival_where_timestamps_stand_still():
    clock = StreamClock()
    times = [clock.seconds(7.0, 100.0 + number) for number in range(20)]
    assert times[-10:] == [110.0 + number for number in range(10)]
    assert clock.is_by_arrival


@pytest.mark.parametrize("rate", [0.2, 0.9, 1.0, 1.1, 5.0])
def test_timestamps_that_run_too_fast_or_too_slow(rate):
    clock = StreamClock()
    for number in range(1000):  # 40 seconds
        clock.seconds(rate * number / 25, 100 + number / 25)
    assert clock.is_by_arrival == (rate in (0.2, 5.0))


def test_a_burst_of_older_pictures_says_nothing_of_the_pace():
    clock = StreamClock()
    for number in range(1000):
        clock.seconds(number / 25, 100 + max(number / 25 - 12, 0))  # 12 seconds at once
    assert not clock.is_by_arrival


def test_jumps_say_nothing_of_the_pace():
    clock = StreamClock()
    for number in range(2500):
        clock.seconds(number / 25 + 1000 * (number // 240), 100 + number / 25)
    assert not clock.is_by_arrival
