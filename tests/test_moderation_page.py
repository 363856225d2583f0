"""The page on moderation says what the code does."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from vidmodel_tf.scoring.audit import AuditRecord
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule, VideoRule

PAGE = Path(__file__).parents[1] / "docs" / "moderation.md"


@pytest.fixture(scope="module")
def text():
    return PAGE.read_text(encoding="utf-8")


def section(text, title):
    return text.split(f" {title}\n")[1].split("\n#")[0]


def keys_of(section):
    """The names in the first column of a table."""
    cells = re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_policy_of_the_page_can_be_read(text):
    policy = Policy.from_json(json.loads(text.split("## The policy\n\n```json\n")[1].split("```")[0]))
    (rule,), (video,) = policy.rules, policy.video
    assert (rule.on, rule.off, rule.min_seconds, rule.decision) == (0.7, 0.5, 2, "review")
    assert (video.reject_score, video.reject_over_seconds) == (0.9, 10)


@pytest.mark.parametrize(
    ("title", "kind", "others"),
    [
        ("Rules for events", Rule, set()),
        ("Rules for whole videos", VideoRule, set()),
        ("The record of decisions", AuditRecord, {"number", "previous"}),
    ],
)
def test_every_key_is_explained(title, kind, others, text):
    keys = keys_of(section(text, title))
    assert len(keys) == len(set(keys))
    assert set(keys) - others == {field.name for field in dataclasses.fields(kind)}


def test_defaults_are_those_of_the_code(text):
    rule = Rule(name="n", head="h", label="l")
    table = section(text, "Rules for events")
    for name in ("on", "off", "gap_seconds", "min_seconds", "cooldown_seconds"):
        assert f"| `{name}` | {getattr(rule, name):g} |" in table
    assert (rule.pad_seconds, rule.decision, rule.max_per_hour, rule.hours) == ((0, 0), None, None, None)
