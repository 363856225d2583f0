"""Scores of one source -> its events: lines in the log, pictures, cuts and notifications."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.live.event_files import EventFiles
from vidmodel_tf.live.event_log import EventLog, LineType
from vidmodel_tf.live.hooks import Hook
from vidmodel_tf.live.live_event_tracker import LiveChange, LiveEventTracker
from vidmodel_tf.live.source_scores import NewScores
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.notifications import NotificationLimiter
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule

UPDATE_SECONDS = 5.0  # between two lines that only say that an event goes on


@dataclasses.dataclass
class _Watched:
    """A rule, and what is known of its event."""

    rule: Rule
    class_id: int
    tracker: LiveEventTracker
    limiter: NotificationLimiter
    id: str = ""
    last_line_seconds: float = 0.0

    def score(self, scores: Mapping[str, np.ndarray]) -> float:
        """Of the rule's class, among those of a step."""
        return float(scores[self.rule.head][self.class_id])


class EventReporter:
    """Follows the rules of a policy in the scores of one source.

    Args:
        source: Its name.
        policy: Whose rules.
        labels: Class names by head.
        step_seconds: Of a step.
        log: Gets the lines.
        files: Keeps pictures and cuts.
        hooks: Get the lines of notifications that are sent.
        warn: Told of those that did not arrive; the log is, too.
    """

    def __init__(
        self,
        source: str,
        policy: Policy,
        labels: Mapping[str, Sequence[str]],
        step_seconds: float,
        log: EventLog,
        files: EventFiles,
        hooks: Sequence[Hook],
        warn: Callable[[str], None],
    ) -> None:
        self._source, self._log, self._files = source, log, files
        self._hooks, self._warn = hooks, warn
        self._step_seconds = step_seconds
        self._next_step = 0
        self._watched = [
            _Watched(
                rule=rule,
                class_id=list(labels[rule.head]).index(rule.label),
                tracker=LiveEventTracker(rule, step_seconds),
                limiter=NotificationLimiter(rule),
            )
            for rule in policy.rules
        ]

    def push(self, scores: NewScores, now: float) -> None:
        """Takes the scores that have become known; steps that are passed over count as scores of 0.

        Args:
            scores: Of steps later than all before, of each kind.
            now: Seconds since 1970.
        """
        for step, by_head in scores.newest:
            for watched in self._watched:
                self._report(watched, watched.tracker.push_newest(step, watched.score(by_head)), now)
        for step, by_head in scores.settled:
            self._files.pass_to(step + 1)
            for watched in self._watched:
                self._report(watched, watched.tracker.push(step, watched.score(by_head)), now)
            self._next_step = step + 1

    def pass_over(self, step: int, now: float) -> None:
        """Says that nothing is known up to and with a step: events that were open end before it."""
        if step < self._next_step:
            return
        self._files.pass_to(step + 1)
        for watched in self._watched:
            self._report(watched, watched.tracker.push_newest(step, 0.0), now)
            self._report(watched, watched.tracker.push(step, 0.0), now)
        self._next_step = step + 1

    def finish(self, now: float, reason: str) -> None:
        """Ends what is open."""
        for watched in self._watched:
            self._report(watched, watched.tracker.finish(self._next_step * self._step_seconds), now, reason)
        self._files.finish()

    def _report(self, watched: _Watched, changes: Sequence[LiveChange], now: float, reason: str | None = None) -> None:
        for change in changes:
            if change.kind == "started":
                watched.id = self._log.new_id()
            event = dataclasses.replace(change.event, id=watched.id)
            if change.kind == "started":
                self._start(watched, event, now, is_confirmed=change.is_confirmed)
            elif change.kind == "ended":
                self._end(event, reason, is_confirmed=change.is_confirmed)
            else:
                self._files.update(event)
                if change.kind == "confirmed" or now - watched.last_line_seconds >= UPDATE_SECONDS:
                    watched.last_line_seconds = now
                    self._write("update", event, confirmed=change.is_confirmed)

    def _start(self, watched: _Watched, event: Event, now: float, *, is_confirmed: bool) -> None:
        watched.last_line_seconds = now
        fields = {"confirmed": is_confirmed, **self._files.start(event)}
        self._write("start", event, **fields)
        local = datetime.datetime.fromtimestamp(now)
        second_of_day = local.hour * 3600 + local.minute * 60 + local.second
        decided = watched.limiter.decide(event, now, second_of_day)
        line = self._write("notify", event, **fields, **decided.to_json())
        if decided.is_sent:
            for hook in self._hooks:
                hook.send(line, partial(self._drop, hook.name, event.id))

    def _end(self, event: Event, reason: str | None, *, is_confirmed: bool) -> None:
        reason = reason or (None if is_confirmed else "not confirmed")
        because = {"reason": reason} if reason else {}
        self._write("end", event, confirmed=is_confirmed, **self._files.end(event), **because)

    def _drop(self, hook_name: str, event_id: str, reason: str) -> None:
        self._warn(f"{hook_name}: the notification of {event_id} did not arrive: {reason}")
        with contextlib.suppress(VidmodelError):  # a full disk is told when the next line of the watch is written
            self._log.write(self._source, "dropped", event_id, what=hook_name, reason=reason)

    def _write(self, kind: LineType, event: Event, **fields: object) -> str:
        values = event.to_json()
        del values["id"]
        return self._log.write(self._source, kind, event.id, **values, **fields)
