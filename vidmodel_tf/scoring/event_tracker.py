"""The one rule by which scores become events, step by step, so that it serves files and live streams alike."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.rule import Rule

_TOLERANCE = 1e-9  # seconds: 0.3 and 3 * 0.1 are the same time


@dataclasses.dataclass(frozen=True)
class Span:
    """The steps of an event, without padding.

    Attributes:
        start: In seconds, as all here.
        end: So far.
        peak: The start of the first step with the highest score.
        score: That score.
    """

    start: float
    end: float
    peak: float
    score: float

    def joined(self, later: Span) -> Span:
        """This and a later one as one."""
        highest = later if later.score > self.score else self
        return Span(self.start, later.end, highest.peak, highest.score)

    def reaches(self, start: float, rule: Rule) -> bool:
        """Whether what begins at `start` or later can be joined with it: at most `gap_seconds` lie between them."""
        return start - self.end <= rule.gap_seconds + _TOLERANCE


@dataclasses.dataclass(frozen=True)
class EventChange:
    """What became of an event.

    Attributes:
        kind: "started": it has lasted `min_seconds`; "updated": it has become longer; "ended": nothing will change it.
        event: As it is now; its end is the end so far.
        span: Its steps.
    """

    kind: Literal["started", "updated", "ended"]
    event: Event
    span: Span


class EventTracker:
    """Finds the events of one rule in one track of scores. There is never more than one event at a time.

    1. An event begins with the first step whose score is at least `on`. It ends where the first step begins whose
       score is below `off`, or with the scores.
    2. It is joined with the one before if at most `gap_seconds` lie between them.
    3. It is dropped if it is then shorter than `min_seconds`.
    4. Its score is the highest of its steps; its peak is the start of the first step that has it.
    5. Padding comes last and stays inside the video. Padded events may overlap; they are not joined.

    Args:
        rule: What to find.
        step_seconds: Step i is [i * step_seconds, (i + 1) * step_seconds).
        end_seconds: Where the scores end, if that is known: the last step of a file may be shorter than the others.

    Example:
        >>> rule = Rule(name="fight", head="label", label="fight", min_seconds=2)
        >>> tracker = EventTracker(rule, step_seconds=1.0)
        >>> for index, score in enumerate([0.1, 0.7, 0.5, 0.2, 0.1]):
        ...     for change in tracker.push(index, score):
        ...         print(index, change.kind, change.event.start_seconds, change.event.end_seconds)
        2 started 1.0 3.0
        4 ended 1.0 3.0
    """

    def __init__(self, rule: Rule, step_seconds: float, end_seconds: float | None = None) -> None:
        self._rule = rule
        self._step_seconds = step_seconds
        self._end_seconds = math.inf if end_seconds is None else end_seconds
        self._next_index = 0
        self._span: Span | None = None
        self._is_open = False
        self._is_reported = False
        self._num_reported = 0

    def push(self, index: int, score: float) -> list[EventChange]:
        """Takes the score of the next step.

        Args:
            index: Of the step. Steps that are passed over count as scores below `off`.
            score: 0 to 1, rounded as `TimedScores` has it.

        Raises:
            ValueError: The step was pushed already or is earlier than one that was.
        """
        if index < self._next_index:
            raise ValueError(f"expected a step from {self._next_index} on. Received: step {index}")
        self._is_open &= index == self._next_index
        self._next_index = index + 1
        changes = self._end_unless_joined(index)
        self._is_open = score >= (self._rule.off if self._is_open else self._rule.on)
        return changes + (self._grow(index, score) if self._is_open else self._end_unless_joined(index + 1))

    @property
    def earliest_start(self) -> float:
        """No event that has not started yet begins before this time."""
        if self._span is None or self._is_reported:
            return self._next_index * self._step_seconds
        return self._span.start

    def finish(self, end_seconds: float) -> list[EventChange]:
        """Ends what has not ended, at the latest at `end_seconds`, where the scores end."""
        self._end_seconds = min(self._end_seconds, end_seconds)
        self._is_open = False
        return self._end()

    def _grow(self, index: int, score: float) -> list[EventChange]:
        start = index * self._step_seconds
        step = Span(start, min((index + 1) * self._step_seconds, self._end_seconds), start, score)
        self._span = step if self._span is None else self._span.joined(step)
        if self._is_reported:
            return [self._change("updated", self._span)]
        if self._span.end - self._span.start < self._rule.min_seconds - _TOLERANCE:
            return []
        self._is_reported = True
        self._num_reported += 1
        return [self._change("started", self._span)]

    def _end_unless_joined(self, next_index: int) -> list[EventChange]:
        """Ends the event if one that begins with the step `next_index` at the earliest is too far to be joined."""
        if self._is_open or self._span is None:
            return []
        return [] if self._span.reaches(next_index * self._step_seconds, self._rule) else self._end()

    def _end(self) -> list[EventChange]:
        changes = [self._change("ended", self._span)] if self._span and self._is_reported else []
        self._span, self._is_reported = None, False
        return changes

    def _change(self, kind: Literal["started", "updated", "ended"], span: Span) -> EventChange:
        before, after = self._rule.pad_seconds
        event = Event(
            id=f"e{self._num_reported}",
            rule=self._rule.name,
            head=self._rule.head,
            label=self._rule.label,
            start_seconds=_rounded(max(span.start - before, 0.0)),
            end_seconds=_rounded(min(span.end + after, self._end_seconds)),
            peak_seconds=_rounded(span.peak),
            score=span.score,
            decision=self._rule.decision,
        )
        return EventChange(kind, event, span)


def _rounded(seconds: float) -> float:
    """To 3 places, halves upwards: JavaScript can do the same, unlike Python's `round`."""
    return math.floor(seconds * 1000 + 0.5) / 1000
