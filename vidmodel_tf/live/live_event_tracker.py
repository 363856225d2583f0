"""Two tracks of scores of one class -> live events: the newest window starts them, the mean decides what they are."""

from __future__ import annotations

import dataclasses
from typing import Literal

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.event_tracker import EventChange, EventTracker, Span
from vidmodel_tf.scoring.rule import Rule


@dataclasses.dataclass(frozen=True)
class LiveChange:
    """What became of a live event.

    Attributes:
        kind: "started"; "updated": it has become longer; "confirmed": the mean has found what the newest windows had;
            "ended".
        event: As it is now. Its times and score are those of the mean from the moment on when it is confirmed.
        is_confirmed: Whether the mean has found it. If it ends without, it was a false start.
    """

    kind: Literal["started", "updated", "confirmed", "ended"]
    event: Event
    is_confirmed: bool


@dataclasses.dataclass(frozen=True)
class _Live:
    id: str
    change: EventChange
    is_confirmed: bool

    def told(self, kind: Literal["started", "updated", "confirmed", "ended"]) -> LiveChange:
        return LiveChange(kind, dataclasses.replace(self.change.event, id=self.id), self.is_confirmed)


class LiveEventTracker:
    """Follows one rule in a stream. The mean over windows knows more, and one window later, than the newest window.

    Both tracks are followed by the same rule. There is one live event at a time, and each has one start and one end:

    1. An event of the newest track starts one, if there is none; else it waits until that has ended.
    2. An event of the mean confirms the live event, unless that was over more than `gap_seconds` before; or starts
       one, if there is none. The live event then has the values of the mean, and ends with it.
    3. Events of the newest track that an event of the mean reaches are part of it, and start nothing.
    4. What the mean has passed without confirming it was none: a live event ends, one that waits is forgotten.

    So the confirmed events are those that `find_events` finds in the mean, and none starts later than there.

    Args:
        rule: What to find.
        step_seconds: Step i is [i * step_seconds, (i + 1) * step_seconds).

    Example:
        >>> rule = Rule(name="fight", head="label", label="fight", min_seconds=1, gap_seconds=0)
        >>> tracker = LiveEventTracker(rule, step_seconds=1.0)
        >>> [change.kind for change in tracker.push_newest(3, 0.9)]
        ['started']
        >>> [change.kind for step, mean in [(2, 0.7), (3, 0.8), (4, 0.1)] for change in tracker.push(step, mean)]
        ['confirmed', 'updated', 'ended']
    """

    def __init__(self, rule: Rule, step_seconds: float) -> None:
        self._rule = rule
        self._newest = EventTracker(rule, step_seconds)
        self._mean = EventTracker(rule, step_seconds)
        self._waiting: list[EventChange] = []  # events of the newest track that are neither live nor part of one
        self._live: _Live | None = None
        self._found: Span | None = None  # of the newest event of the mean
        self._num_started = 0

    def push_newest(self, index: int, score: float) -> list[LiveChange]:
        """Takes what the newest window says of a step, before the mean of that step is pushed.

        Args:
            index: Of the step. Steps that are passed over count as scores below `off`.
            score: 0 to 1, rounded as `TimedScores` has it.

        Raises:
            ValueError: The step was pushed already or is earlier than one that was.
        """
        changes = [told for change in self._newest.push(index, score) for told in self._take_newest(change)]
        return changes + self._start_next()

    def push(self, index: int, score: float) -> list[LiveChange]:
        """Takes the mean of a step, likewise."""
        changes = [told for change in self._mean.push(index, score) for told in self._take_mean(change)]
        return changes + self._refute(self._mean.earliest_start) + self._start_next()

    def finish(self, end_seconds: float) -> list[LiveChange]:
        """Ends what has not ended, at the latest at `end_seconds`, where the scores end."""
        changes = [told for change in self._newest.finish(end_seconds) for told in self._take_newest(change)]
        changes += [told for change in self._mean.finish(end_seconds) for told in self._take_mean(change)]
        return changes + self._end()

    def _take_newest(self, change: EventChange) -> list[LiveChange]:
        if change.kind == "started":
            self._waiting.append(change)
        elif self._waiting and self._waiting[-1].event.id == change.event.id:
            self._waiting[-1] = change
        elif self._live and not self._live.is_confirmed and self._live.change.event.id == change.event.id:
            self._live = dataclasses.replace(self._live, change=change)
            return [self._live.told("updated")] if change.kind == "updated" else []
        return []

    def _take_mean(self, change: EventChange) -> list[LiveChange]:
        changes = self._refute(change.span.start) if change.kind == "started" else []
        if self._live is None:
            changes += self._start(change, is_confirmed=True)
        else:
            kind = "updated" if self._live.is_confirmed else "confirmed"
            self._live = _Live(self._live.id, change, is_confirmed=True)
            changes += [self._live.told(kind)] if change.kind != "ended" else self._end()
        self._found = change.span
        return changes

    def _refute(self, earliest_start: float) -> list[LiveChange]:
        """Drops what no event of the mean can confirm any more: none begins earlier than `earliest_start`."""
        self._waiting = [early for early in self._waiting if early.span.reaches(earliest_start, self._rule)]
        if self._live is None or self._live.is_confirmed or self._live.change.span.reaches(earliest_start, self._rule):
            return []
        return self._end()

    def _start_next(self) -> list[LiveChange]:
        self._waiting = [early for early in self._waiting if not self._is_part(early)]
        return self._start(self._waiting.pop(0), is_confirmed=False) if self._waiting and self._live is None else []

    def _is_part(self, early: EventChange) -> bool:
        return self._found is not None and self._found.reaches(early.span.start, self._rule)

    def _start(self, change: EventChange, *, is_confirmed: bool) -> list[LiveChange]:
        self._num_started += 1
        self._live = _Live(f"e{self._num_started}", change, is_confirmed)
        return [self._live.told("started")]

    def _end(self) -> list[LiveChange]:
        if self._live is None:
            return []
        ended, self._live = self._live.told("ended"), None
        return [ended]
