from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.scoring.event_tracker import EventTracker
from vidmodel_tf.scoring.rule import Rule

CASES = json.loads((Path(__file__).parent / "data" / "event_cases.json").read_text(encoding="utf-8"))
FIELDS = ("start_seconds", "end_seconds", "peak_seconds", "score")


def rule_of(**thresholds):
    return Rule(name="r", head="h", label="l", **{"pad_seconds": (0, 0), **thresholds})


def changes_of(rule, step, end, scores):
    tracker = EventTracker(rule, step, end)
    changes = [change for index, score in enumerate(scores) for change in tracker.push(index, score)]
    return changes + tracker.finish(end)


def found(rule, step, end, scores):
    ended = [change.event for change in changes_of(rule, step, end, scores) if change.kind == "ended"]
    return [{field: getattr(event, field) for field in FIELDS} for event in ended]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_hand_worked_cases(case):
    rule = rule_of(**{key: tuple(value) if key == "pad_seconds" else value for key, value in case["rule"].items()})
    end = min(len(case["scores"]) * case["step_seconds"], case["duration_seconds"])
    assert found(rule, case["step_seconds"], end, case["scores"]) == case["events"]


def naive(rule, step, end, scores):
    """The rule over whole arrays: in units of 1 ms, so that no tolerance is needed."""
    step, end = round(step * 1000), round(end * 1000)
    gap, minimum = round(rule.gap_seconds * 1000), round(rule.min_seconds * 1000)
    scores = np.asarray(scores)
    state = np.where(scores >= rule.on, 1, np.where(scores < rule.off, 0, -1))
    last_known = np.maximum.accumulate(np.where(state >= 0, np.arange(len(state)), -1))
    inside = (last_known >= 0) & (state[last_known] == 1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
    spans = [list(pair) for pair in edges.reshape(-1, 2)]
    for k in range(len(spans) - 1, 0, -1):
        if (spans[k][0] - spans[k - 1][1]) * step <= gap:
            spans[k - 1][1] = spans.pop(k)[1]
    events = []
    for first, last in spans:
        low, high = first * step, min(last * step, end)
        if high - low >= minimum:
            before, after = (round(pad * 1000) for pad in rule.pad_seconds)
            peak = first + int(np.argmax(scores[first:last]))
            times = max(low - before, 0), min(high + after, end), peak * step
            events.append([time / 1000 for time in times] + [scores[peak]])
    return [dict(zip(FIELDS, event, strict=True)) for event in events]


milliseconds = st.integers(0, 40).map(lambda tenths: tenths / 10)


@st.composite
def tracks(draw):
    """A rule, the length of a step, the end, and scores that often equal a threshold."""
    off, on = sorted(draw(st.tuples(*[st.sampled_from([0.0, 0.2, 0.4, 0.5, 0.6, 1.0])] * 2)))
    rule = rule_of(
        on=on,
        off=off,
        min_seconds=draw(milliseconds),
        gap_seconds=draw(milliseconds),
        pad_seconds=(draw(milliseconds), draw(milliseconds)),
    )
    step = draw(st.sampled_from([0.1, 0.125, 0.3, 0.7, 1.0]))
    scores = draw(st.lists(st.sampled_from([0.0, 0.1, off, on, 0.3999, 0.4001, 0.55, 1.0]), min_size=1, max_size=60))
    missing = draw(st.sampled_from([0.0, 0.05, 0.09]))
    return rule, step, len(scores) * step - missing, np.array(scores)


@given(tracks())
def test_events_are_those_of_a_plain_implementation(track):
    assert found(*track) == naive(*track)


def spans(rule, step, scores):
    return [(event["start_seconds"], event["end_seconds"]) for event in naive(rule, step, len(scores) * step, scores)]


@given(tracks())
def test_events_start_and_end_as_soon_as_that_is_certain(track):
    rule, step, _, scores = track
    rule = dataclasses.replace(rule, pad_seconds=(0.0, 0.0))
    tracker, counts = EventTracker(rule, step), Counter()
    for index, score in enumerate(scores):
        counts.update(change.kind for change in tracker.push(index, score))
        now, with_one_more = spans(rule, step, scores[: index + 1]), spans(rule, step, [*scores[: index + 1], 1.0])
        assert counts["started"] == len(now)
        assert counts["ended"] == len(set(now) & set(with_one_more))


@given(tracks())
def test_the_changes_of_an_event_tell_its_story(track):
    story = {}
    for change in changes_of(*track):
        story.setdefault(change.event.id, []).append(change)
    for number, changes in enumerate(story.values(), 1):
        kinds = [change.kind for change in changes]
        assert kinds == ["started", *["updated"] * (len(kinds) - 2), "ended"]
        assert changes[0].event.id == f"e{number}"
        assert len({change.event.start_seconds for change in changes}) == 1
        ends = [change.event.end_seconds for change in changes]
        assert ends == sorted(ends)


def test_steps_that_are_passed_over_close_an_event():
    tracker = EventTracker(rule_of(min_seconds=1, gap_seconds=1), 1.0)
    assert [change.kind for change in tracker.push(0, 0.9)] == ["started"]
    (ended,) = tracker.push(2, 0.5)  # at least `off`, but the event is no longer open
    assert (ended.kind, ended.event.end_seconds) == ("ended", 1.0)


def test_a_break_as_short_as_a_gap_is_joined():
    tracker = EventTracker(rule_of(min_seconds=1, gap_seconds=1), 1.0)
    kinds = [change.kind for index, score in [(0, 0.9), (2, 0.9), (5, 0.9)] for change in tracker.push(index, score)]
    assert kinds == ["started", "updated", "ended", "started"]
    (ended,) = tracker.finish(5.5)
    assert (ended.event.id, ended.event.start_seconds, ended.event.end_seconds) == ("e2", 5.0, 5.5)


def test_a_step_that_was_pushed_already_is_refused():
    tracker = EventTracker(rule_of(), 1.0)
    tracker.push(3, 0.5)
    with pytest.raises(ValueError, match=r"expected a step from 4 on. Received: step 3"):
        tracker.push(3, 0.5)


def test_a_score_that_is_no_number_opens_nothing_and_closes():
    rule = rule_of(min_seconds=0, gap_seconds=0)
    scores = [np.nan, 0.9, np.nan, np.nan, 0.5]
    assert [(event["start_seconds"], event["end_seconds"]) for event in found(rule, 1.0, 5.0, scores)] == [(1.0, 2.0)]
