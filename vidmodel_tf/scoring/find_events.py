"""The events of a whole video."""

from __future__ import annotations

import dataclasses

import numpy as np

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.event_tracker import EventTracker
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.timed_scores import TimedScores


def find_events(scores: TimedScores, policy: Policy) -> tuple[Event, ...]:
    """Finds what the rules of a policy describe, as `EventTracker` says.

    Returns:
        By their start, those with the same start in the order of the rules; their ids are "e1", "e2", ...

    Raises:
        InputError: A rule's head or class is not in the scores.

    Example:
        >>> scores = TimedScores.of(1.0, 4.0, {"label": ("calm", "fight")}, {
        ...     "label": [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1]],
        ... })
        >>> (event,) = find_events(scores, Policy((Rule(name="fight", head="label", label="fight"),)))
        >>> event.id, event.start_seconds, event.end_seconds, event.score
        ('e1', 1.0, 3.0, 0.8)
    """
    policy.check_against({name: head.labels for name, head in scores.heads.items()})
    found = [event for rule in policy.rules for event in _events_of(scores, rule)]
    found.sort(key=lambda event: event.start_seconds)  # keeps the order of the rules among equal ones
    return tuple(dataclasses.replace(event, id=f"e{number}") for number, event in enumerate(found, 1))


def _events_of(scores: TimedScores, rule: Rule) -> list[Event]:
    track = scores.head(rule.head).track(rule.label)
    tracker = EventTracker(rule, scores.step_seconds, scores.end_seconds)
    changes = []
    for index in np.flatnonzero(track >= rule.off).tolist():  # the tracker takes those left out for lower ones
        changes += tracker.push(index, float(track[index]))
    changes += tracker.finish(scores.end_seconds)
    return [change.event for change in changes if change.kind == "ended"]
