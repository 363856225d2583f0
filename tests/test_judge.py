from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.judge import judge
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule, VideoRule
from vidmodel_tf.scoring.timed_scores import TimedScores


def timed(track, step=1.0, duration=None):
    track = np.array(track, np.float64)
    return TimedScores.of(step, duration, {"h": ("fight", "calm")}, {"h": np.stack([track, 1 - track], axis=1)})


def rule(decision, name="r", **values):
    return Rule(name=name, head="h", label="fight", decision=decision, **values)


def video_rule(**values):
    return VideoRule(name="v", head="h", label="fight", **values)


def summary(judgement):
    return [(reason.rule, reason.decision, reason.event) for reason in judgement.reasons]


FIGHT = [0.1, 0.9, 0.8, 0.1]


@pytest.mark.parametrize("decision", ["accept", "review", "reject"])
def test_an_event_decides(decision):
    judgement = judge(timed(FIGHT), Policy((rule(decision, on=0.7),)))
    assert judgement.to_json() == {
        "decision": decision,
        "reasons": [
            {
                "rule": "r",
                "head": "h",
                "label": "fight",
                "decision": decision,
                "score": 0.9,
                "threshold": 0.7,
                "seconds": 2.0,
                "event": "e1",
            }
        ],
    }
    assert str(judgement.reasons[0]) == f"{decision} by r: fight 0.9 >= 0.7 in e1, 2 s"
    json.dumps(judgement.to_json(), allow_nan=False)


def test_without_events_a_video_is_accepted():
    assert judge(timed([0.1, 0.2]), Policy((rule("reject"),))).to_json() == {"decision": "accept", "reasons": []}


def test_the_worst_decision_wins_and_comes_first():
    policy = Policy(
        (rule("accept", "a"), rule("call_guard", "b"), rule("review", "c"), rule("reject", "d"), rule(None, "e"))
    )
    judgement = judge(timed(FIGHT), policy)
    assert judgement.decision == "reject"
    assert summary(judgement) == [
        ("d", "reject", "e4"),
        ("c", "review", "e3"),
        ("a", "accept", "e1"),
        ("b", "call_guard", "e2"),
    ]


def test_an_alarm_does_not_rank():
    assert judge(timed(FIGHT), Policy((rule("zzz", "a"), rule("review", "b", on=1.0)))).decision == "accept"
    alone = judge(timed(FIGHT), Policy((rule("zzz"),)))
    assert (alone.decision, summary(alone)) == (None, [("r", "zzz", "e1")])


def test_a_policy_without_decisions_decides_nothing():
    assert judge(timed(FIGHT), Policy((rule(None),))).to_json() == {"decision": None, "reasons": []}
    assert judge(timed(FIGHT), Policy()).decision is None


@pytest.mark.parametrize(
    ("track", "over", "decision", "seconds"),
    [
        ([0.9, 0.1, 0.9, 0.9], 2.9, "reject", 3.0),  # steps that are not neighbours are added up
        ([0.9, 0.1, 0.9, 0.9], 3.0, "review", 3.0),  # exactly so long is not over
        ([0.9, 0.1, 0.8999, 0.9], 2.0, "review", 3.0),
        ([0.9, 0.1, 0.1, 0.1], 0.0, "reject", 1.0),
        ([0.5, 0.1, 0.1, 0.1], 0.0, "review", 1.0),
        ([0.4999, 0.1, 0.1, 0.1], 0.0, "accept", None),
    ],
)
def test_rules_on_the_whole_video(track, over, decision, seconds):
    policy = Policy(video=(video_rule(reject_over_seconds=over, reject_score=0.9, review_score=0.5),))
    judgement = judge(timed(track), policy)
    assert judgement.decision == decision
    assert [reason.seconds for reason in judgement.reasons] == ([] if seconds is None else [seconds])


def test_what_a_reason_on_the_whole_video_names():
    policy = Policy(video=(video_rule(reject_over_seconds=1, reject_score=0.75, review_score=0.5),))
    (reason,) = judge(timed([0.8, 0.95, 0.7, 0.6]), policy).reasons
    assert (reason.score, reason.threshold, reason.seconds, reason.event) == (0.95, 0.75, 2.0, None)
    assert str(reason) == "reject by v: fight 0.95 >= 0.75, 2 s"


def test_rules_that_only_reject_or_only_review():
    assert judge(timed([1.0]), Policy(video=(video_rule(review_score=0.5),))).decision == "review"
    assert judge(timed([0.8]), Policy(video=(video_rule(reject_score=0.9),))).decision == "accept"


def test_the_last_step_ends_with_the_video():
    policy = Policy(video=(video_rule(reject_over_seconds=0.5, reject_score=0.9, review_score=0.5),))
    assert judge(timed([0.1, 0.9], duration=1.5), policy).decision == "review"
    assert judge(timed([0.1, 0.9], duration=1.6), policy).decision == "reject"


def test_tenths_of_seconds_add_up():
    policy = Policy(video=(video_rule(reject_over_seconds=0.3, reject_score=0.9),))
    assert judge(timed([0.9] * 3, step=0.1), policy).decision == "accept"
    assert judge(timed([0.9] * 4, step=0.1), policy).decision == "reject"
    an_hour = Policy(video=(video_rule(reject_over_seconds=3600, reject_score=0.9),))
    assert judge(timed([0.9] * 36_000, step=0.1), an_hour).decision == "accept"
    assert judge(timed([0.9] * 36_001, step=0.1), an_hour).decision == "reject"


def test_no_scores_at_all():
    policy = Policy(video=(video_rule(reject_score=0.0, review_score=0.0),))
    assert judge(timed([], duration=0.5), policy).to_json() == {"decision": "accept", "reasons": []}


def test_a_class_that_was_not_scored():
    with pytest.raises(InputError, match=r"rule 'v': expected one of the heads 'h'\. Received: 'x'"):
        judge(timed(FIGHT), Policy(video=(VideoRule(name="v", head="x", label="y", review_score=0.5),)))


@given(st.lists(st.integers(0, 10).map(lambda tenth: tenth / 10), max_size=30), st.data())
def test_higher_scores_never_make_a_decision_milder(track, data):
    policy = Policy((rule("review", min_seconds=2),), (video_rule(reject_over_seconds=2, reject_score=0.8),))
    higher = [max(score, data.draw(st.sampled_from([0.0, 0.5, 1.0]))) for score in track]
    order = ["accept", "review", "reject"]
    low, high = judge(timed(track), policy), judge(timed(higher), policy)
    assert order.index(str(high.decision)) >= order.index(str(low.decision))
    events = {event.id for event in find_events(timed(track), policy)}
    assert {reason.event for reason in low.reasons} - {None} == events
