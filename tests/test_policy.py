from __future__ import annotations

import dataclasses
import json

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.policy import Policy, default_policy, load_policy
from vidmodel_tf.scoring.rule import Rule, VideoRule

RULE = {"name": "fight", "head": "label", "label": "fight"}
FULL = {
    "version": 1,
    "rules": [
        {
            **RULE,
            "on": 0.7,
            "off": 0.3,
            "min_seconds": 2.0,
            "gap_seconds": 0.5,
            "pad_seconds": [2.0, 3.0],
            "decision": "call_guard",
            "cooldown_seconds": 60.0,
            "max_per_hour": 20,
            "hours": "22:00-06:00",
        }
    ],
    "video": [
        {
            "name": "violent",
            "head": "label",
            "label": "fight",
            "reject_over_seconds": 3.0,
            "reject_score": 0.9,
            "review_score": 0.5,
        }
    ],
}


def policy_file(folder, value):
    path = folder / "policy.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_every_key_of_the_file_is_read_and_written(tmp_path):
    policy = load_policy(policy_file(tmp_path, FULL))
    assert policy.rules[0].hours == "22:00-06:00"
    assert policy.video[0].reject_over_seconds == 3
    assert policy.to_json() == FULL


def test_defaults_are_written_out():
    rule = Policy.from_json({"version": 1, "rules": [RULE]}).to_json()["rules"][0]
    assert rule == {
        **RULE,
        "on": 0.6,
        "off": 0.4,
        "min_seconds": 1.0,
        "gap_seconds": 1.0,
        "pad_seconds": [0.0, 0.0],
        "decision": None,
        "cooldown_seconds": 0.0,
        "max_per_hour": None,
        "hours": None,
    }


def test_a_file_that_windows_wrote(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(FULL), encoding="utf-8-sig")
    assert load_policy(path).to_json() == FULL


def with_rule(**values):
    return {"version": 1, "rules": [{**RULE, **values}]}


def with_video(**values):
    return {"version": 1, "video": [{**RULE, **values}]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({**FULL, "version": 2}, r'expected an object with "version": 1\. Received: 2'),
        ({"rules": []}, r'expected an object with "version": 1\. Received: None'),
        ([], r'expected an object with "version": 1\. Received: \[\]'),
        ({"version": 1, "rule": []}, r"unknown setting policy\.rule: did you mean 'rules'\?"),
        ({"version": 1, "rules": {}}, r"policy\.rules: expected a list of objects\. Received: \{\}"),
        ({"version": 1, "video": ["x"]}, r"policy\.video: expected a list of objects\. Received: \['x'\]"),
        (with_rule(min_second=1), r"unknown setting rules\[0\]\.min_second: did you mean 'min_seconds'\?"),
        (with_video(reject_at=1), r"unknown setting video\[0\]\.reject_at: did you mean 'reject_score'\?"),
        (with_rule(zzz=1), r"unknown setting rules\[0\]\.zzz: expected one of: name, head, label, on, "),
        ({"version": 1, "rules": [{"name": "x", "head": "h"}]}, r"expected the setting 'label'\. Received: name, head"),
        (with_rule(on=1.1), r"rules\[0\]\.on: expected 0\.0 to 1\.0\. Received: 1\.1"),
        (with_rule(on="0.5"), r"rules\[0\]\.on: expected a number\. Received: '0\.5'"),
        (with_rule(on=0.3), r"rules\[0\]\.off: expected at most on=0\.3\. Received: 0\.4"),
        (with_rule(gap_seconds=-1), r"rules\[0\]\.gap_seconds: expected 0 to 1000000\. Received: -1\.0"),
        (
            with_rule(pad_seconds=[1]),
            r"rules\[0\]\.pad_seconds: expected two numbers, \[before, after\]\. Received: \[1",
        ),
        (with_rule(pad_seconds=[1, -1]), r"rules\[0\]\.pad_seconds: expected 0 to 1000000\. Received: -1\.0"),
        (with_rule(pad_seconds=1), r"rules\[0\]\.pad_seconds: expected a list of numbers\. Received: 1"),
        (with_rule(decision=""), r"rules\[0\]\.decision: expected accept, review, reject or the name of an alarm\. "),
        (with_rule(decision="call guard"), r"name of an alarm\. Received: 'call guard'"),
        (
            with_rule(decision="Reject"),
            r"rules\[0\]\.decision: expected 'reject' in small letters\. Received: 'Reject'",
        ),
        (with_rule(max_per_hour=0), r"rules\[0\]\.max_per_hour: expected 1 to 1000000\. Received: 0"),
        (with_rule(max_per_hour=1.5), r"rules\[0\]\.max_per_hour: expected a whole number or null\. Received: 1\.5"),
        (with_rule(hours="22-6"), r"rules\[0\]\.hours: expected two times such as '22:00-06:00'\. Received: '22-6'"),
        (with_rule(hours="25:00-06:00"), r"rules\[0\]\.hours: expected two times"),
        (with_rule(hours="06:00-06:00"), r"rules\[0\]\.hours: expected two different times"),
        (with_rule(name=" "), r"rules\[0\]\.name: expected a text that is not empty"),
        (with_video(), r"video\[0\]\.reject_score: expected this, review_score or both\. Received: neither"),
        (
            with_video(review_score=0.5, reject_over_seconds=3),
            r"video\[0\]\.reject_over_seconds: expected reject_score too\. Received: 3\.0 alone",
        ),
        (
            {"version": 1, "rules": [RULE, RULE]},
            r"expected a name of its own for each rule\. Received: 'fight' 2 times",
        ),
        (
            '{"version": 1, "rules": [], "rules": []}',
            r"expected each setting once in its object\. Received: 'rules' more",
        ),
        ("{", r"policy\.json is not JSON: "),
        (
            '{"version": 1, "rules": [{"name": "n", "head": "h", "label": "l", "on": NaN}]}',
            r"on: expected 0\.0 to 1\.0\. ",
        ),
    ],
)
def test_what_a_policy_may_not_hold(value, words, tmp_path):
    path = policy_file(tmp_path, value)
    with pytest.raises(InputError, match=words) as failure:
        load_policy(path)
    assert str(failure.value).count(str(path)) == 1  # the file is named, once


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*policy\.json: No such file"):
        load_policy(tmp_path / "policy.json")


def test_a_name_that_two_lists_share_is_refused():
    with pytest.raises(InputError, match="'fight' 2 times"):
        Policy((Rule(**RULE),), (VideoRule(**RULE, review_score=0.5),))


def test_rules_are_checked_against_the_scores():
    policy = Policy.from_json(FULL)
    policy.check_against({"label": ("fight", "calm")})
    with pytest.raises(InputError, match=r"rule 'fight': expected one of the heads 'mood'\. Received: 'label'"):
        policy.check_against({"mood": ("fight",)})
    with pytest.raises(InputError, match=r"rule 'fight': expected one of the classes 'Fight', 'calm'\. Received: 'f"):
        policy.check_against({"label": ("Fight", "calm")})
    with pytest.raises(InputError, match=r"rule 'violent': expected one of the heads 'mood'"):
        Policy(video=policy.video).check_against({"mood": ("fight",)})


def test_the_fingerprint_knows_what_is_said_not_how():
    policy = Policy.from_json(FULL)
    reordered = json.loads(json.dumps(dict(reversed(FULL.items())), indent=3))
    assert Policy.from_json(reordered).fingerprint == policy.fingerprint
    assert len(policy.fingerprint) == 16
    assert int(policy.fingerprint, 16) >= 0
    written = {"version": 1, "rules": [{**RULE, "on": 1, "pad_seconds": [2, 2]}]}
    built = Policy((Rule(**RULE, on=1, pad_seconds=(2, 2)),))
    assert built.fingerprint == Policy.from_json(written).fingerprint
    assert built.fingerprint == Policy((Rule(**RULE, on=1.0, pad_seconds=(2.0, 2.0)),)).fingerprint


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Rule)])
def test_every_setting_changes_the_fingerprint(name):
    rule = Policy.from_json(FULL).rules[0]
    other = {"name": "x", "head": "x", "label": "x", "pad_seconds": (0.0, 1.0)}
    other |= {"decision": None, "hours": None, "max_per_hour": None}
    changed = dataclasses.replace(rule, **{name: other.get(name, 0.625)})
    assert Policy((changed,)).fingerprint != Policy((rule,)).fingerprint


def test_without_a_policy_every_class_but_the_ordinary_one_has_a_rule():
    labels = {"action": ["fight", "noFight"], "tags": ["blood", "crowd"]}
    policy = default_policy(labels, ["tags"], {"action": "noFight", "tags": "crowd"})
    assert [(rule.name, rule.head, rule.label) for rule in policy.rules] == [
        ("fight", "action", "fight"),
        ("blood", "tags", "blood"),
        ("crowd", "tags", "crowd"),
    ]
    assert {(rule.on, rule.off, rule.min_seconds, rule.gap_seconds, rule.decision) for rule in policy.rules} == {
        (0.6, 0.4, 1.0, 1.0, None)
    }
    assert not policy.ranks_videos


def test_default_rules_of_heads_with_the_same_classes_have_names_of_their_own():
    policy = default_policy({"a": ["yes", "no"], "b": ["yes", "never"]})
    assert [rule.name for rule in policy.rules] == ["a: yes", "no", "b: yes", "never"]


@pytest.mark.parametrize(
    ("policy", "ranks"),
    [
        (with_rule(decision="accept"), True),
        (with_rule(decision="call_guard"), False),
        (with_rule(), False),
        (with_video(review_score=0.5), True),
    ],
)
def test_whether_a_policy_ranks_videos(policy, ranks):
    assert Policy.from_json(policy).ranks_videos is ranks
