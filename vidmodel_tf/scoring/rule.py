"""The rules of a policy: one for the events of a class, one for the whole video."""

from __future__ import annotations

import dataclasses
import re
from typing import Annotated

from vidmodel_tf.check_settings import Range, check_settings
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.hours import Hours

RANKED = ("accept", "review", "reject")
"""The decisions on a video, from the mildest to the worst. Any other word is the name of an alarm."""

Score = Annotated[float, Range(0.0, 1.0)]
Seconds = Annotated[float, Range(0, 1_000_000)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """Which events to find in the scores of one class: those that `EventTracker` describes.

    Attributes:
        name: Unique in its policy.
        head: The head and
        label: the class whose scores the rule watches.
        on: An event begins where the score reaches this, 0 to 1.
        off: It goes on while the score is at least this, 0 to `on`.
        min_seconds: What is shorter is dropped.
        gap_seconds: Two that are not further apart are one.
        pad_seconds: Added before the start and after the end when all else is done.
        decision: "accept", "review", "reject", or the name of an alarm; None: an event decides nothing.
        cooldown_seconds: Live: no notification so long after the last one that was sent.
        max_per_hour: Live: at most so many notifications in any hour; None: no limit.
        hours: Live: notify only at these times of the day, "22:00-06:00"; None: at any time.
    """

    name: str
    head: str
    label: str
    on: Score = 0.6
    off: Score = 0.4
    min_seconds: Seconds = 1.0
    gap_seconds: Seconds = 1.0
    pad_seconds: tuple[Seconds, ...] = (0.0, 0.0)
    decision: str | None = None
    cooldown_seconds: Seconds = 0.0
    max_per_hour: Annotated[int, Range(1, 1_000_000)] | None = None
    hours: str | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        _check_name(self.name)
        if self.off > self.on:
            raise InputError(f"off: expected at most on={self.on}. Received: {self.off}")
        if len(self.pad_seconds) != 2:
            raise InputError(f"pad_seconds: expected two numbers, [before, after]. Received: {list(self.pad_seconds)}")
        if self.decision is not None:
            _check_decision(self.decision)
        if self.hours is not None:
            Hours.parse(self.hours)

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {**dataclasses.asdict(self), "pad_seconds": list(self.pad_seconds)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoRule:
    """What to decide on a whole video by the scores of one class, whether or not they make an event.

    Attributes:
        name: Unique in its policy.
        head: The head and
        label: the class whose scores the rule watches.
        reject_over_seconds: Reject if the steps whose score is at least `reject_score` last longer than this together.
        reject_score: 0 to 1; None: never reject.
        review_score: Review if any score is at least this, 0 to 1; None: never review.
    """

    name: str
    head: str
    label: str
    reject_over_seconds: Seconds = 0.0
    reject_score: Score | None = None
    review_score: Score | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        _check_name(self.name)
        if self.reject_score is None and self.review_score is None:
            raise InputError("reject_score: expected this, review_score or both. Received: neither")
        if self.reject_score is None and self.reject_over_seconds:
            raise InputError(
                f"reject_over_seconds: expected reject_score too. Received: {self.reject_over_seconds} alone"
            )

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return dataclasses.asdict(self)


def _check_name(name: str) -> None:
    if not name.strip():
        raise InputError(f"name: expected a text that is not empty. Received: {name!r}")


def _check_decision(word: str) -> None:
    if not re.fullmatch(r"\S+", word):
        raise InputError(f"decision: expected {', '.join(RANKED)} or the name of an alarm. Received: {word!r}")
    if word not in RANKED and word.lower() in RANKED:  # it would be an alarm, and nothing would be rejected
        raise InputError(f"decision: expected {word.lower()!r} in small letters. Received: {word!r}")
