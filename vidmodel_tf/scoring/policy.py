"""What to look for in scores over time, and what to decide: data that is read from JSON. No TensorFlow."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidmodel_tf.config import check_keys, from_mapping
from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.scoring.rule import RANKED, Rule, VideoRule
from vidmodel_tf.storage import read_text

VERSION = 1
MAX_BYTES = 16 * 2**20  # of a file
MAX_RULES = 10_000  # of either kind in a file


@dataclasses.dataclass(frozen=True)
class Policy:
    """Rules for events and rules for whole videos.

    Attributes:
        rules: Each finds the events of one class.
        video: Each decides on a video by all scores of one class.
    """

    rules: tuple[Rule, ...] = ()
    video: tuple[VideoRule, ...] = ()

    def __post_init__(self) -> None:
        names = collections.Counter(rule.name for rule in (*self.rules, *self.video))
        for name, count in names.items():
            if count > 1:
                raise InputError(f"expected a name of its own for each rule. Received: {name!r} {count} times")

    @property
    def ranks_videos(self) -> bool:
        """Whether any rule can say that a video is accepted, to be reviewed or rejected."""
        return bool(self.video) or any(rule.decision in RANKED for rule in self.rules)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever a rule does; how the file is laid out does not matter."""
        value = Policy.from_json(self.to_json()).to_json()  # 1 and 1.0 become the same
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def check_against(self, labels_by_head: Mapping[str, Sequence[str]]) -> None:
        """Refuses a policy that watches what a model does not score.

        Args:
            labels_by_head: Class names by head.

        Raises:
            InputError: A rule's head or class is not among them.
        """
        for rule in (*self.rules, *self.video):
            where = f"the policy's rule {rule.name!r}"
            if rule.head not in labels_by_head:
                raise InputError(f"{where}: expected one of the heads {_list(labels_by_head)}. Received: {rule.head!r}")
            labels = labels_by_head[rule.head]
            if rule.label not in labels:
                raise InputError(f"{where}: expected one of the classes {_list(labels)}. Received: {rule.label!r}")

    def to_json(self) -> dict[str, object]:
        """As the file holds it, every default written out."""
        return {
            "version": VERSION,
            "rules": [rule.to_json() for rule in self.rules],
            "video": [rule.to_json() for rule in self.video],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Policy:
        """The reverse of `to_json`; settings that are left out have their defaults.

        Raises:
            InputError: It has another version, an unknown key, or a value of the wrong type or out of range.
        """
        if not isinstance(value, Mapping) or value.get("version") != VERSION:
            found = shown(value.get("version")) if isinstance(value, Mapping) else shown(value)
            raise InputError(f'expected an object with "version": {VERSION}. Received: {found}')
        check_keys(value, ("version", "rules", "video"), "policy")
        rules = [from_mapping(Rule, item, place) for place, item in _objects(value, "rules")]
        video = [from_mapping(VideoRule, item, place) for place, item in _objects(value, "video")]
        return cls(tuple(rules), tuple(video))


def load_policy(path: str | Path) -> Policy:
    """Reads a policy from its file.

    Args:
        path: JSON, in UTF-8: `{"version": 1, "rules": [...], "video": [...]}` with the fields of `Rule` and
            `VideoRule`.

    Raises:
        InputError: It cannot be read, or something in it is unknown, missing or out of range.
    """
    path = Path(path)
    try:
        return Policy.from_json(json.loads(read_text(path, max_bytes=MAX_BYTES), object_pairs_hook=_without_repeats))
    except InputError as error:
        raise InputError(error.reason, subject=None if str(path) in error.reason else str(path)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None


def default_policy(
    labels_by_head: Mapping[str, Sequence[str]],
    multi_label_heads: Sequence[str] = (),
    most_frequent: Mapping[str, str] | None = None,
) -> Policy:
    """What is looked for without a policy: a rule a class, with the defaults of `Rule`, that decides nothing.

    Args:
        labels_by_head: Class names by head.
        multi_label_heads: Those whose clips have several classes, or none.
        most_frequent: By the name of a single-label head, the class that was most frequent in training. It stands for
            "nothing special" and gets no rule.
    """
    frequency = collections.Counter(label for labels in labels_by_head.values() for label in labels)
    ordinary = {head: label for head, label in (most_frequent or {}).items() if head not in multi_label_heads}
    return Policy(
        tuple(
            Rule(name=label if frequency[label] == 1 else f"{head}: {label}", head=head, label=label)
            for head, labels in labels_by_head.items()
            for label in labels
            if label != ordinary.get(head)
        )
    )


def _objects(value: Mapping[str, Any], key: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects of a list, each with the place where it stands."""
    items = value.get(key, [])
    if isinstance(items, list) and len(items) > MAX_RULES:
        raise InputError(f"policy.{key}: expected at most {MAX_RULES:,} rules. Received: {len(items):,}")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InputError(f"policy.{key}: expected a list of objects. Received: {shown(items)}")
    return [(f"{key}[{i}]", item) for i, item in enumerate(items)]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(key for key, count in collections.Counter(key for key, _ in pairs).items() if count > 1)
        raise InputError(f"expected each setting once in its object. Received: {twice!r} more than once")
    return value


def _list(names: Mapping[str, object] | Sequence[str]) -> str:
    return ", ".join(map(repr, names))
