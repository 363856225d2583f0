"""Live events of hand-worked tracks, and what holds for any two tracks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.live.live_event_tracker import LiveChange, LiveEventTracker
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.timed_scores import TimedScores


def rule_of(**thresholds) -> Rule:
    return Rule(name="r", head="h", label="l", **{"on": 0.6, "off": 0.4, **thresholds})


@dataclasses.dataclass(frozen=True)
class Told:
    """A change, and how many steps the newest track had when it was told."""

    at: int
    change: LiveChange

    def in_short(self) -> tuple:
        event = self.change.event
        return self.at, event.id, self.change.kind, event.start_seconds, event.end_seconds


def follow(rule: Rule, step: float, newest: Sequence[float], mean: Sequence[float], lag: int, hop: int) -> list[Told]:
    """The tracks as a source gives them: `hop` steps at once, the mean of a step `lag` steps after the newest."""
    tracker, told, num_settled = LiveEventTracker(rule, step), [], 0
    for first in range(0, len(newest), hop):
        end = min(first + hop, len(newest))
        changes = [change for index in range(first, end) for change in tracker.push_newest(index, newest[index])]
        for index in range(num_settled, max(end - lag, 0)):
            changes += tracker.push(index, mean[index])
        num_settled = max(end - lag, 0)
        told += [Told(end, change) for change in changes]
    changes = [change for index in range(num_settled, len(mean)) for change in tracker.push(index, mean[index])]
    return told + [Told(len(newest), change) for change in changes + tracker.finish(len(newest) * step)]


def story(newest: str, mean: str, lag: int = 2, **thresholds) -> list[tuple]:
    """What is told of tracks that are drawn, a step a second: `#` is 0.9, `+` 0.5, `.` 0."""
    values = {"#": 0.9, "+": 0.5, ".": 0.0}
    rule = rule_of(**{"min_seconds": 2, "gap_seconds": 1, **thresholds})
    tracks = [[values[letter] for letter in track] for track in (newest, mean)]
    return [told.in_short() for told in follow(rule, 1.0, *tracks, lag=lag, hop=1) if told.change.kind != "updated"]


def test_the_newest_window_starts_and_the_mean_confirms_and_ends():
    assert story("...###.....", "..####.....") == [
        (5, "e1", "started", 3.0, 5.0),
        (6, "e1", "confirmed", 2.0, 4.0),
        (10, "e1", "ended", 2.0, 6.0),
    ]


def test_what_the_mean_passes_over_was_none():
    """Nothing of the mean begins by second 6, the end of the early event and its gap, which is known at 7 + 2."""
    assert story("...##......", "...+.+.....") == [(5, "e1", "started", 3.0, 5.0), (9, "e1", "ended", 3.0, 5.0)]
    refuted = follow(rule_of(min_seconds=2, gap_seconds=1), 1.0, [0.9, 0.9, *[0.0] * 9], [0.0] * 11, lag=2, hop=1)
    assert [told.change.is_confirmed for told in refuted] == [False, False]


def test_the_mean_may_still_make_up_its_mind():
    """At second 6, in reach of the early event, the mean begins something that needs until 8 to be an event."""
    assert story("...##......", "......##...") == [
        (5, "e1", "started", 3.0, 5.0),
        (10, "e1", "confirmed", 6.0, 8.0),
        (11, "e1", "ended", 6.0, 8.0),
    ]
    assert story("...##......", "......#....")[-1] == (11, "e1", "ended", 3.0, 5.0)


def test_what_begins_later_than_a_gap_is_another_event():
    assert story("...##......", ".......##..") == [
        (5, "e1", "started", 3.0, 5.0),
        (9, "e1", "ended", 3.0, 5.0),
        (11, "e2", "started", 7.0, 9.0),
        (11, "e2", "ended", 7.0, 9.0),
    ]


def test_the_mean_alone_starts_an_event():
    assert story(".......", ".##....") == [(5, "e1", "started", 1.0, 3.0), (7, "e1", "ended", 1.0, 3.0)]


def test_a_later_event_waits_until_the_one_before_has_ended():
    """The mean is five steps behind: the second event is under way, or over, when it ends the first."""
    for newest, mean in [
        ("##..######...", "##..######..."),
        ("##..##.......", "##..##......."),
    ]:
        told = story(newest, mean, lag=5)
        end = 10.0 if newest[9] == "#" else 6.0
        assert [told[0], *told[2:4]] == [
            (2, "e1", "started", 0.0, 2.0),
            (9, "e1", "ended", 0.0, 2.0),
            (9, "e2", "started", 4.0, min(end, 9.0)),
        ]
        assert told[4][1:] == ("e2", "confirmed", 4.0, 6.0)
        assert told[5][1:] == ("e2", "ended", 4.0, end)


def test_a_later_event_that_the_mean_joins_with_the_one_before_starts_nothing():
    assert story("##..##.....", "######.....", lag=5) == [
        (2, "e1", "started", 0.0, 2.0),
        (7, "e1", "confirmed", 0.0, 2.0),
        (11, "e1", "ended", 0.0, 6.0),
    ]


def test_a_later_event_that_is_over_already_is_told_while_the_mean_may_confirm_it():
    assert story("##..##.........", "##.............", lag=9)[2:] == [
        (13, "e1", "ended", 0.0, 2.0),
        (13, "e2", "started", 4.0, 6.0),
        (15, "e2", "ended", 4.0, 6.0),
    ]


def test_a_later_event_that_the_mean_has_passed_by_starts_nothing():
    tracker = LiveEventTracker(rule_of(min_seconds=1, gap_seconds=0), 1.0)
    early = [change for index, score in enumerate([0.9, 0, 0.9, 0]) for change in tracker.push_newest(index, score)]
    assert [change.kind for change in early] == ["started"]  # the second waits
    assert [(change.event.id, change.kind) for change in tracker.push(4, 0.0)] == [("e1", "ended")]


def test_the_rest_of_an_event_that_the_mean_has_ended_starts_nothing():
    """The newest windows go on after the mean is over; its second event is told when the mean has it."""
    told = story("..##########....", "..##...###......", lag=1)
    assert [line[1:3] for line in told] == [
        ("e1", "started"),
        ("e1", "confirmed"),
        ("e1", "ended"),
        ("e2", "started"),
        ("e2", "ended"),
    ]
    assert told[3] == (10, "e2", "started", 7.0, 9.0)


def test_an_event_that_the_mean_has_started_before_starts_no_second_one():
    """The newest windows begin it while the mean has it already, and go on after the mean has ended it."""
    assert story("....######..", "..####......", lag=1) == [
        (5, "e1", "started", 2.0, 4.0),
        (9, "e1", "ended", 2.0, 6.0),
    ]


def test_what_begins_after_a_loss_is_another_event():
    tracker = LiveEventTracker(rule_of(min_seconds=1, gap_seconds=0), 1.0)
    assert [change.kind for change in tracker.push_newest(0, 0.9) + tracker.push(0, 0.5)] == ["started"]
    changes = tracker.push(5, 0.9)
    assert [(change.event.id, change.kind, change.is_confirmed) for change in changes] == [
        ("e1", "ended", False),
        ("e2", "started", True),
    ]


def test_an_end_of_the_stream_ends_an_event_that_is_not_confirmed_yet():
    tracker = LiveEventTracker(rule_of(min_seconds=1, pad_seconds=(0, 5)), 1.0)
    tracker.push_newest(0, 0.9)
    (ended,) = tracker.finish(1.0)
    assert (ended.kind, ended.is_confirmed, ended.event.end_seconds) == ("ended", False, 1.0)


def test_padding_does_not_confirm():
    """Nothing but what lies between the events themselves counts."""
    padded = story("...##......", ".......##..", pad_seconds=(3, 3))
    assert [(line[0], line[2]) for line in padded] == [(5, "started"), (9, "ended"), (11, "started"), (11, "ended")]


seconds = st.integers(0, 40).map(lambda tenths: tenths / 10)


@st.composite
def tracks(draw):
    """A rule and two tracks, alike or not, of steps with the mean some steps behind."""
    off, on = sorted(draw(st.tuples(*[st.sampled_from([0.2, 0.4, 0.5, 0.6])] * 2)))
    rule = rule_of(
        on=on, off=off, min_seconds=draw(seconds), gap_seconds=draw(seconds), pad_seconds=(draw(seconds), draw(seconds))
    )
    step = draw(st.sampled_from([0.1, 0.125, 0.3, 0.7, 1.0]))
    scores = st.sampled_from([0.0, off, on, 0.55, 1.0])
    newest = draw(st.lists(scores, min_size=1, max_size=60))
    if draw(st.booleans()):
        mean = draw(st.lists(scores, min_size=len(newest), max_size=len(newest)))
    else:  # as windows make it: the mean of a step and of those that come after it
        mean = [round(float(np.mean(newest[first : first + 4])), 4) for first in range(len(newest))]
    return rule, step, newest, mean, draw(st.integers(0, 20)), draw(st.integers(1, 5))


def events_of(rule: Rule, step: float, mean: Sequence[float]) -> list[Event]:
    scores = TimedScores.of(step, len(mean) * step, {"h": ["l"]}, {"h": np.array(mean)[:, np.newaxis]})
    return list(find_events(scores, Policy((rule,))))


def values_of(event: Event) -> tuple[float, ...]:
    return event.start_seconds, event.end_seconds, event.peak_seconds, event.score


def of_kind(told: Sequence[Told], *kinds: str) -> list[Told]:
    return [item for item in told if item.change.kind in kinds]


@settings(deadline=None)
@given(tracks())
def test_what_holds_for_any_two_tracks(drawn):
    told = follow(*drawn)
    check_that_each_has_one_start_and_one_end_and_there_is_one_at_a_time(told)
    check_that_the_confirmed_ones_are_those_of_the_mean(told, *drawn)
    check_that_one_of_the_newest_track_starts_one_at_most(told, *drawn)
    check_that_none_starts_later_than_by_the_mean_alone(told, *drawn)
    check_that_nothing_could_confirm_what_is_refuted(told, *drawn)


def check_that_each_has_one_start_and_one_end_and_there_is_one_at_a_time(told):
    borders = of_kind(told, "started", "ended")
    assert [item.change.kind for item in borders] == ["started", "ended"] * (len(borders) // 2)
    assert [item.change.event.id for item in borders[::2]] == [f"e{n + 1}" for n in range(len(borders) // 2)]
    current = ""
    for item in told:
        current = item.change.event.id if item.change.kind == "started" else current
        assert item.change.event.id == current
    confirmed = {(item.change.event.id, item.change.event.start_seconds) for item in told if item.change.is_confirmed}
    assert len(confirmed) == len(dict(confirmed))  # the mean moves no start


def check_that_the_confirmed_ones_are_those_of_the_mean(told, rule, step, newest, mean, lag, hop):
    """Padding stays inside a file; where a stream will end is not known."""
    length = round(len(mean) * step, 3)
    confirmed = [item.change.event for item in of_kind(told, "ended") if item.change.is_confirmed]
    ended = [dataclasses.replace(event, end_seconds=min(event.end_seconds, length)) for event in confirmed]
    assert [values_of(event) for event in ended] == [values_of(event) for event in events_of(rule, step, mean)]


def check_that_one_of_the_newest_track_starts_one_at_most(told, rule, step, newest, mean, lag, hop):
    found = [item.change.event.start_seconds for item in of_kind(told, "started") if not item.change.is_confirmed]
    starts = [event.start_seconds for event in events_of(rule, step, newest)]
    assert all(found.count(start) <= starts.count(start) for start in found)


def check_that_none_starts_later_than_by_the_mean_alone(told, rule, step, newest, mean, lag, hop):
    starts = {item.change.event.id: item.at for item in of_kind(told, "started")}
    confirmed = [item.change.event.id for item in of_kind(told, "ended") if item.change.is_confirmed]
    alone = of_kind(follow(rule, step, [0.0] * len(newest), mean, lag, hop), "started")
    assert all(starts[early] <= late.at for early, late in zip(confirmed, alone, strict=True))


def check_that_nothing_could_confirm_what_is_refuted(told, rule, step, newest, mean, lag, hop):
    """Not even if the mean were 1 from there on."""
    _, after = rule.pad_seconds
    rule = dataclasses.replace(rule, pad_seconds=(0.0, 0.0))
    for item in of_kind(told, "ended"):
        if not item.change.is_confirmed and item.at < len(newest):
            high = [*mean[: max(item.at - lag, 0)], *[1.0] * 60]
            end_seconds = item.change.event.end_seconds - after
            assert events_of(rule, step, high)[-1].start_seconds - end_seconds > rule.gap_seconds


def test_steps_are_pushed_in_order():
    tracker = LiveEventTracker(rule_of(), 1.0)
    tracker.push_newest(3, 0.5)
    with pytest.raises(ValueError, match=r"expected a step from 4 on. Received: step 3"):
        tracker.push_newest(3, 0.5)
