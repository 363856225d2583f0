"""What to look for in scores over time, and what to decide: data that is read from JSON."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from vidmodel_tf.check_settings import Range, check_settings
from vidmodel_tf.errors import InputError

Score = Annotated[float, Range(0.0, 1.0)]
Seconds = Annotated[float, Range(0.0, 1_000_000.0)]


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
    """

    name: str
    head: str
    label: str
    on: Score = 0.6
    off: Score = 0.4
    min_seconds: Seconds = 1.0
    gap_seconds: Seconds = 1.0
    pad_seconds: tuple[float, ...] = (0.0, 0.0)
    decision: str | None = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.off > self.on:
            raise InputError(f"off: expected at most on={self.on}. Received: {self.off}")
