"""Windows against a plain restatement of their rules, and against the sampling of clips."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.windows import Window, WindowPlan, WindowPlanner, plan_windows
from vidmodel_tf.video.sampling import sample_times, slots_for_inference


def windows_by_rule(num_steps, num_frames, hop, cuts):
    """The rules of the planner, written down for a video that is known as a whole."""
    if num_steps < num_frames:
        return set()
    found = set()
    edges = [0, *cuts, num_steps]
    for start, end in itertools.pairwise(edges):
        length = end - start
        if length >= num_frames:
            firsts = {*range(start, end - num_frames + 1, hop), end - num_frames}
            covered = max(first for first in range(start, end - num_frames + 1, hop)) + num_frames
            if covered == end:
                firsts -= {end - num_frames} - {*range(start, end - num_frames + 1, hop)}
            found |= {Window(first, first, first + num_frames) for first in firsts}
        else:
            centred = start - (num_frames - length) // 2
            found.add(Window(min(max(centred, 0), num_steps - num_frames), start, end))
    return found


@given(
    st.integers(2, 9), st.integers(1, 9), st.integers(0, 60), st.sets(st.integers(1, 59)), st.integers(1, 7), st.data()
)
def test_windows_found_while_reading_are_those_of_the_whole_video(num_frames, hop, num_steps, cuts, chunk, data):
    hop = min(hop, num_frames)
    cuts = sorted(cut for cut in cuts if cut < num_steps)
    planner, found, needed = WindowPlanner(WindowPlan(num_frames, num_frames, 1.0, hop)), [], 0
    there, settled = 0, 0
    while there < num_steps:
        there = min(there + chunk, num_steps)
        before, settled = settled, max(settled, there - data.draw(st.integers(0, 4)))
        new = planner.advance(there, settled, [cut for cut in cuts if before <= cut < settled])
        for window in new:
            assert needed <= window.first_step <= there - num_frames
        found += new
        needed = planner.first_needed(settled)
    found += planner.advance(there, there, [cut for cut in cuts if settled <= cut])
    last = planner.finish(num_steps)
    assert all(window.first_step >= needed for window in last)
    found += last
    assert set(found) == windows_by_rule(num_steps, num_frames, hop, cuts)
    if num_steps >= num_frames:
        covered = {step for window in found for step in range(window.count_from, window.count_to)}
        assert covered == set(range(num_steps))


def test_a_planner_goes_on_from_its_state():
    plan = WindowPlan(4, 8, 1.0, 1)
    whole, first = WindowPlanner(plan), WindowPlanner(plan)
    expected = whole.advance(9, 7, [5, 6]) + whole.advance(20, 16, [12]) + whole.finish(20)
    found = first.advance(9, 7, [5, 6])
    second = WindowPlanner(plan)
    second.restore(first.state())
    assert found + second.advance(20, 16, [12]) + second.finish(20) == expected


@pytest.mark.parametrize(("num_frames", "num_stored"), [(16, 32), (8, 32), (4, 4), (5, 15)])
def test_frames_of_a_window_are_those_of_the_same_range_as_a_clip(num_frames, num_stored):
    plan = plan_windows(num_frames, num_stored, 2.002)
    start = 7 * plan.step_seconds
    as_clip = sample_times(start, start + 2.002, num_stored)[slots_for_inference(num_stored, num_frames)]
    np.testing.assert_allclose(plan.frame_times(7, 7 + num_frames), as_clip, atol=1e-9, rtol=0)


def test_a_hop_is_whole_steps():
    assert plan_windows(16, 32, 2.0).hop_steps == 4
    assert plan_windows(16, 32, 2.0, 0.3).hop_steps == 2
    assert plan_windows(16, 32, 2.0, 0.001).hop_steps == 1
    assert plan_windows(2, 2, 2.0).hop_steps == 1


def test_lengths_that_make_no_sense():
    with pytest.raises(InputError, match=r"--window: expected more than 0 seconds. Received: 0"):
        plan_windows(16, 32, 0.0)
    with pytest.raises(InputError, match=r"--window: .* Received: nan"):
        plan_windows(16, 32, float("nan"))
    with pytest.raises(InputError, match=r"--hop: expected more than 0 and at most the 2 seconds .* Received: 3"):
        plan_windows(16, 32, 2.0, 3.0)


def test_rows_cover_the_end_of_a_video():
    plan = plan_windows(4, 4, 2.0)
    assert (plan.count_steps(10.0), plan.count_rows(10.0)) == (20, 20)
    assert (plan.count_steps(10.2), plan.count_rows(10.2)) == (20, 21)
    assert (plan.count_steps(0.1), plan.count_rows(0.1)) == (0, 1)
