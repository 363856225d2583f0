"""What is written and sent of live events, where the newest window and the mean do not say the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from unittest import mock

import numpy as np
import pytest

from vidmodel_tf.live.event_log import EventLog
from vidmodel_tf.live.event_reporter import EventReporter
from vidmodel_tf.live.hooks import Hook
from vidmodel_tf.live.source_scores import NewScores
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.step_scores import StepScore


@pytest.fixture
def log(tmp_path):
    log = EventLog(tmp_path, warn=pytest.fail)
    yield log
    log.close()


@pytest.fixture
def hook():
    hook = mock.Mock(spec=Hook)
    hook.name = "--run"
    return hook


@pytest.fixture
def reporter(log, hook) -> EventReporter:
    rule = Rule(name="fight", head="label", label="fight", min_seconds=1, gap_seconds=0)
    files = mock.Mock(start=mock.Mock(return_value={}), end=mock.Mock(return_value={"cut": "a.mp4"}))
    return EventReporter("door", Policy((rule,)), {"label": ["fight"]}, 1.0, log, files, [hook], pytest.fail)


def scores(first: int, values: Sequence[float]) -> list[StepScore]:
    return [(first + row, {"label": np.array([value])}) for row, value in enumerate(values)]


def lines_of(log: EventLog) -> list[dict]:
    return [json.loads(line) for line in log.path.read_text(encoding="utf-8").splitlines()]


def in_short(log: EventLog) -> list[tuple]:
    return [(line["type"], line["confirmed"], line["score"], line.get("reason")) for line in lines_of(log)]


def test_an_event_is_told_at_once_and_its_values_are_those_of_the_mean_later(reporter, log, hook):
    reporter.push(NewScores(scores(0, [0.0, 0.8]), []), 100.0)
    reporter.push(NewScores(scores(2, [0.9]), scores(0, [0.0, 0.7])), 101.0)
    reporter.push(NewScores(scores(3, [0.0]), scores(2, [0.75, 0.0])), 102.0)
    assert in_short(log) == [
        ("start", False, 0.8, None),
        ("notify", False, 0.8, None),
        ("update", True, 0.7, None),
        ("end", True, 0.75, None),
    ]
    assert len({line["event"] for line in lines_of(log)}) == 1
    assert lines_of(log)[-1]["cut"] == "a.mp4"
    (sent,) = hook.send.call_args_list
    assert json.loads(sent.args[0]) == lines_of(log)[1]


def test_an_event_that_the_mean_does_not_find(reporter, log, hook):
    reporter.push(NewScores(scores(0, [0.8, 0.0, 0.0]), []), 100.0)
    reporter.push(NewScores([], scores(0, [0.3, 0.3])), 101.0)
    assert in_short(log)[-1] == ("end", False, 0.8, "not confirmed")
    assert lines_of(log)[-1]["end_seconds"] == 1.0
    assert hook.send.call_count == 1


def test_an_event_of_the_mean_alone_is_confirmed_from_the_start(reporter, log, hook):
    reporter.push(NewScores(scores(0, [0.5, 0.5]), scores(0, [0.6])), 100.0)
    assert in_short(log) == [("start", True, 0.6, None), ("notify", True, 0.6, None)]


def test_a_watch_that_ends_says_so_whether_the_event_was_confirmed_or_not(reporter, log):
    reporter.push(NewScores(scores(0, [0.8]), []), 100.0)
    reporter.finish(101.0, "stopped")
    assert in_short(log)[-1] == ("end", False, 0.8, "stopped")


def test_a_loss_ends_what_the_mean_did_not_find(reporter, log):
    reporter.push(NewScores(scores(0, [0.8]), scores(0, [0.5])), 100.0)
    reporter.pass_over(5, 106.0)
    assert in_short(log)[-1] == ("end", False, 0.8, "not confirmed")
    assert lines_of(log)[-1]["end_seconds"] == 1.0


def test_updates_are_rare_but_the_confirmation_is_told_at_once(reporter, log):
    for second in range(12):
        reporter.push(NewScores(scores(second, [0.8]), scores(second - 7, [0.7] if second >= 7 else [])), float(second))
    updates = [(line["confirmed"], line["end_seconds"]) for line in lines_of(log) if line["type"] == "update"]
    assert updates == [(False, 6.0), (True, 1.0)]
