"""The rules that `calibrate` tries, and their events, found for hundreds of rules in little time."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from vidmodel_tf.scoring.overlap import TimeRange
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.timed_scores import TimedScores

ONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
DROPS = (0.0, 0.1, 0.2, 0.3)
"""How much `off` lies below `on`."""
SECONDS = (0.0, 1.0, 2.0, 4.0)
"""Tried for `min_seconds` and for `gap_seconds`."""

_TOLERANCE = 1e-9  # as `EventTracker` has it
_Spans = list[tuple[int, int, float]]  # first step, the step after the last, highest score


def rule_grid(default: Rule) -> tuple[Rule, ...]:
    """The default, then all combinations, those like the default first: of equally good rules the first is chosen."""
    grid = [
        dataclasses.replace(default, on=on, off=round(on - drop, 2), min_seconds=min_seconds, gap_seconds=gap_seconds)
        for on, drop, min_seconds, gap_seconds in itertools.product(ONS, DROPS, SECONDS, SECONDS)
        if on - drop >= 0.05
    ]
    return tuple(dict.fromkeys([default, *sorted(grid, key=lambda rule: _distance(rule, default))]))


def _distance(rule: Rule, default: Rule) -> float:
    """Steps of the grid from one rule to the other."""
    scores = abs(rule.on - default.on) + abs(rule.off - default.off)
    seconds = np.log2([1 + rule.min_seconds, 1 + rule.gap_seconds]) - np.log2(
        [1 + default.min_seconds, 1 + default.gap_seconds]
    )
    return round(10 * scores + float(np.abs(seconds).sum()), 6)


def events_of_rules(scores: TimedScores, rules: Sequence[Rule]) -> Iterator[tuple[list[TimeRange], list[float]]]:
    """The events that `find_events` finds for each rule, without padding: their times and their scores.

    Steps that reach `on` and `off` are looked for once for all rules that share both.

    Args:
        scores: Of one video.
        rules: Of one class.
    """
    step, end = scores.step_seconds, scores.end_seconds
    spans_of: dict[tuple[float, float], _Spans] = {}
    for rule in rules:
        key = rule.on, rule.off
        if key not in spans_of:
            spans_of[key] = _spans(scores.head(rule.head).track(rule.label), *key)
        # The last step may be shorter than the others, so the end of a span is not always a multiple of a step.
        joined = _joined(spans_of[key], step, rule.gap_seconds)
        times = [(first * step, min(stop * step, end)) for first, stop, _ in joined]
        long_enough = [stop - start >= rule.min_seconds - _TOLERANCE for start, stop in times]
        yield (
            [(_rounded(start), _rounded(stop)) for start, stop in itertools.compress(times, long_enough)],
            [score for _, _, score in itertools.compress(joined, long_enough)],
        )


def _spans(track: np.ndarray, on: float, off: float) -> _Spans:
    """From each first step that reaches `on` to the last in a row that reaches `off`."""
    edges = np.flatnonzero(np.diff(track >= off, prepend=False, append=False))
    spans = []
    for start, stop in edges.reshape(-1, 2).tolist():
        run = track[start:stop]
        if (run >= on).any():
            spans.append((start + int((run >= on).argmax()), stop, float(run.max())))
    return spans


def _joined(spans: _Spans, step: float, gap_seconds: float) -> _Spans:
    result: _Spans = []
    for first, stop, score in spans:
        if result and first * step - result[-1][1] * step <= gap_seconds + _TOLERANCE:
            result[-1] = (result[-1][0], stop, max(result[-1][2], score))
        else:
            result.append((first, stop, score))
    return result


def _rounded(seconds: float) -> float:
    return float(np.floor(seconds * 1000 + 0.5) / 1000)
