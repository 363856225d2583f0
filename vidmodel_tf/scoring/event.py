"""Something that went on for a while, as scores and a policy say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Event:
    """One event. Times are in seconds from the start of the video or stream, half open.

    Attributes:
        id: Unique in its video or stream.
        rule: The name of the rule that found it.
        head: The head and
        label: the class whose scores the rule watches.
        start_seconds: With the rule's padding.
        end_seconds: Likewise.
        peak_seconds: Where the step with the highest score begins, the first of equal ones.
        score: The highest score, 0 to 1.
        decision: What the rule decides ("accept", "review", "reject" or the name of an alarm); None: nothing.
    """

    id: str
    rule: str
    head: str
    label: str
    start_seconds: float
    end_seconds: float
    peak_seconds: float
    score: float
    decision: str | None = None

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Event:
        """The reverse of `to_json`."""
        return cls(**{field.name: value[field.name] for field in dataclasses.fields(cls)})
