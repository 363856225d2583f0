from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.timed_scores import TimedScores

CASES = json.loads((Path(__file__).parent / "data" / "event_cases.json").read_text(encoding="utf-8"))
LABELS = {"action": ("run", "jump"), "mood": ("好", "bad")}
ACTION = [[0.9, 0.1], [0.9, 0.7], [0.1, 0.8], [0.1, 0.1], [0.65004, 0.1]]
MOOD = [[0.0, 0.1], [0.9, 0.9], [0.1, 0.1], [0.1, 0.1], [0.1, 0.1]]


def scores(duration=4.5):
    return TimedScores.of(1.0, duration, LABELS, {"action": np.array(ACTION), "mood": np.array(MOOD)})


def rule(name, head, label, **values):
    return Rule(name=name, head=head, label=label, **{"gap_seconds": 0, "min_seconds": 0, **values})


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_hand_worked_cases(case):
    track = np.array(case["scores"]).reshape(-1, 1)
    timed = TimedScores.of(case["step_seconds"], case["duration_seconds"], {"h": ["l"]}, {"h": track})
    policy = Policy.from_json({"version": 1, "rules": [{"name": "r", "head": "h", "label": "l", **case["rule"]}]})
    found = [event.to_json() for event in find_events(timed, policy)]
    assert [{key: event[key] for key in expected} for event, expected in zip(found, case["events"], strict=True)] == (
        case["events"]
    )


def test_events_of_all_rules_by_start_then_by_the_order_of_the_rules():
    policy = Policy(
        (
            rule("jumps", "action", "jump"),
            rule("good", "mood", "好", decision="call_guard"),
            rule("runs", "action", "run"),
        )
    )
    found = [
        (event.id, event.rule, event.head, event.label, event.start_seconds, event.end_seconds, event.score)
        for event in find_events(scores(), policy)
    ]
    assert found == [
        ("e1", "runs", "action", "run", 0.0, 2.0, 0.9),
        ("e2", "jumps", "action", "jump", 1.0, 3.0, 0.8),
        ("e3", "good", "mood", "好", 1.0, 2.0, 0.9),
        ("e4", "runs", "action", "run", 4.0, 4.5, 0.65),  # the last step is half a second long
    ]
    assert [event.decision for event in find_events(scores(), policy)] == [None, None, "call_guard", None]


def test_a_stream_has_no_duration():
    (*_, last) = find_events(scores(duration=None), Policy((rule("runs", "action", "run"),)))
    assert last.end_seconds == 5.0


def test_padding_is_part_of_the_order():
    policy = Policy((rule("runs", "action", "run"), rule("jumps", "action", "jump", pad_seconds=(5, 0))))
    assert [(event.rule, event.start_seconds) for event in find_events(scores(), policy)][:2] == [
        ("runs", 0.0),
        ("jumps", 0.0),
    ]


def test_numbers_are_those_of_python():
    (event, *_) = find_events(scores(), Policy((rule("runs", "action", "run"),)))
    assert {type(event.score), type(event.start_seconds), type(event.peak_seconds)} == {float}


def test_a_rule_for_a_class_that_was_not_scored():
    with pytest.raises(InputError, match=r"rule 'x': expected one of the classes 'run', 'jump'\. Received: 'walk'"):
        find_events(scores(), Policy((rule("x", "action", "walk"),)))


def test_no_scores():
    empty = TimedScores.of(1.0, 0.5, {"action": ("run",)}, {"action": np.zeros((0, 1))})
    assert find_events(empty, Policy((rule("x", "action", "run"),))) == ()
