"""Pictures and cuts of events, with frames that are numbers, one a second."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import cast
from unittest import mock

import numpy as np
import pytest

from vidmodel_tf.live.event_cuts import LONGEST_RING_SECONDS, EventCuts, ring_seconds
from vidmodel_tf.live.event_files import EventFiles
from vidmodel_tf.live.event_reporter import EventReporter
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.source_scores import NewScores
from vidmodel_tf.live.work_queue import WorkQueue
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.storage import LEFTOVER_SECONDS

WINDOW_SECONDS = 4


class Queue:
    """Keeps what it is to write."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.cuts: list[list[int]] = []

    def put(self, work: Callable[[], None], drop: Callable[[str], None]) -> bool:
        frames = cast(functools.partial[None], work).args[1]
        assert all(jpeg == b"%d" % step for step, jpeg in frames)
        self.cuts.append([step for step, _ in frames])
        return True


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def warnings() -> list[str]:
    return []


def fill(ring: FrameRing, first: int, end: int) -> None:
    for step in range(first, end):
        ring.push(step, b"%d" % step)


def of_step(step: int, score: float) -> NewScores:
    return NewScores([], [(step, {"label": np.array([score])})])


def event(start: float, end: float, peak: float = 0.0) -> Event:
    return Event("e1", "fight", "label", "fight", start, end, peak, 0.9, None)


def make_cuts(folder, ring, queue, warnings):
    return EventCuts(folder, ring, 1.0, cast(WorkQueue, queue), warnings.append)


def test_a_cut_waits_for_its_last_frame(tmp_path, queue, warnings):
    ring = FrameRing(100)
    cuts = make_cuts(tmp_path, ring, queue, warnings)
    fill(ring, 0, 10)
    cuts.pass_to(8)
    assert cuts.end(event(2, 14))
    fill(ring, 10, 13)
    cuts.pass_to(11)
    assert queue.cuts == []
    fill(ring, 13, 14)
    cuts.pass_to(12)
    assert queue.cuts == [list(range(2, 14))]
    cuts.pass_to(30)
    cuts.finish()
    assert (len(queue.cuts), warnings) == (1, [])


def test_time_without_frames_passes_too(tmp_path, queue, warnings):
    ring = FrameRing(100)
    cuts = make_cuts(tmp_path, ring, queue, warnings)
    fill(ring, 0, 10)
    assert cuts.end(event(2, 14))
    cuts.pass_to(14)
    assert queue.cuts == [list(range(2, 10))]


def test_a_cut_that_is_not_whole_is_told(tmp_path, queue, warnings):
    ring = FrameRing(5)
    cuts = make_cuts(tmp_path, ring, queue, warnings)
    fill(ring, 0, 10)
    assert cuts.end(event(2, 9))
    assert not cuts.end(event(0, 3))
    assert cuts.end(event(6, 14))
    cuts.finish()
    assert queue.cuts == [[5, 6, 7, 8], [6, 7, 8, 9]]
    assert [line.partition("e1.mp4 ")[2] for line in warnings] == [
        "begins 3.0 seconds late: earlier pictures are not kept for so long",
        "was not written: no pictures of that time are left",
        "ends 4.0 seconds early: the watch ended",
    ]


@pytest.mark.parametrize(
    ("rule", "high", "expected"),
    [
        ({"gap_seconds": 130}, range(10, 13), range(10, 13)),
        ({"min_seconds": 100}, range(10, 120), range(10, 70)),
        ({"pad_seconds": (5, 40)}, range(10, 13), range(5, 53)),
        ({"pad_seconds": (5, 40)}, range(10, 200), range(5, 65)),
        ({"pad_seconds": (50, 0), "gap_seconds": 40, "min_seconds": 30}, range(60, 100), range(10, 70)),
    ],
)
def test_cuts_are_whole_whatever_the_rule_says(rule, high, expected, tmp_path, queue, warnings):
    """Scores come a window after their frames."""
    rule = Rule(name="fight", head="label", label="fight", **rule)
    ring = FrameRing(int(ring_seconds([rule], WINDOW_SECONDS)))
    files = EventFiles(tmp_path, "door", ring, 1.0, cast(WorkQueue, queue), warnings.append)
    log = mock.Mock(new_id=lambda: "e1")
    reporter = EventReporter("door", Policy((rule,)), {"label": ["fight"]}, 1.0, log, files, [], warnings.append)
    for step in range(300):
        fill(ring, step, step + 1)
        if step >= WINDOW_SECONDS:
            scored = step - WINDOW_SECONDS
            reporter.push(of_step(scored, float(scored in high)), float(step))
    reporter.finish(300.0, "stopped")
    assert queue.cuts == [list(expected)]
    assert warnings == []


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_cut_does_not_wait_for_a_camera_that_is_lost(is_stopped, tmp_path, queue, warnings):
    rule = Rule(name="fight", head="label", label="fight", pad_seconds=(0, 9))
    ring = FrameRing(100)
    files = EventFiles(tmp_path, "door", ring, 1.0, cast(WorkQueue, queue), warnings.append)
    log = mock.Mock(new_id=lambda: "e1")
    reporter = EventReporter("door", Policy((rule,)), {"label": ["fight"]}, 1.0, log, files, [], warnings.append)
    for step, score in enumerate([1.0, 1.0, 0.0, 0.0]):
        fill(ring, step, step + 1)
        reporter.push(of_step(step, score), 0.0)
    assert queue.cuts == []
    if is_stopped:
        reporter.finish(0.0, "stopped")
    else:
        reporter.pass_over(20, 0.0)
    assert queue.cuts == [[0, 1, 2, 3]]
    assert [line.partition("e1.mp4 ")[2] for line in warnings] == (
        ["ends 7.0 seconds early: the watch ended"] if is_stopped else []
    )


def test_frames_are_kept_for_ten_minutes_at_most():
    rule = Rule(name="fight", head="label", label="fight", gap_seconds=100_000)
    assert ring_seconds([rule], WINDOW_SECONDS) == LONGEST_RING_SECONDS
    assert ring_seconds([], WINDOW_SECONDS) == 68


def test_the_picture_of_a_long_event_is_that_of_its_peak(tmp_path, queue, warnings):
    ring = FrameRing(20)
    files = EventFiles(tmp_path, "door", ring, 1.0, cast(WorkQueue, queue), warnings.append)
    fill(ring, 0, 5)
    files.start(event(0, 5, peak=1))
    files.update(event(0, 5, peak=3))
    fill(ring, 5, 50)
    fields = files.end(event(0, 50, peak=3))
    assert (tmp_path / str(fields["picture"])).read_bytes() == b"3"


def test_what_a_killed_watch_left_is_removed(tmp_path, queue, warnings):
    old, new = tmp_path / "events" / "door" / ".a.x.mp4", tmp_path / "events" / "door" / ".b.x.mp4"
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.touch()
    long_ago = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    EventFiles(tmp_path, "door", FrameRing(1), 1.0, cast(WorkQueue, queue), warnings.append)
    assert (old.exists(), new.exists()) == (False, True)
