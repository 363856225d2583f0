"""Numbers of events by rule and video, from whose sums every figure of a set of videos follows.

An array of counts has the shape [..., 6]: matched, events, true, missed, false alarms, seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.scoring.event_matching import match_events
from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.overlap import TimeRange, overlap_seconds
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.rule_grid import events_of_rules
from vidmodel_tf.scoring.truth import HeadLabel

LEAST_IOU = 0.5


def count_events(videos: Sequence[LabelledVideo], rules: Sequence[Rule]) -> np.ndarray:
    """The counts of each of R rules in each of V videos, float64 [R, V, 6].

    Args:
        videos: V of them.
        rules: R of them, all of one class.
    """
    what = HeadLabel(rules[0].head, rules[0].label)
    by_video = [
        [
            _counts(found, scores, video.true_ranges(what), video.scores.end_seconds)
            for found, scores in events_of_rules(video.scores, rules)
        ]
        for video in videos
    ]
    return np.array(by_video, np.float64).swapaxes(0, 1)


def _counts(
    found: Sequence[TimeRange], scores: Sequence[float], true: Sequence[TimeRange], seconds: float
) -> tuple[float, ...]:
    is_overlap_NxM = overlap_seconds(found, true) > 0
    matched = int(match_events(found, scores, true, LEAST_IOU).sum())
    missed = len(true) - int(is_overlap_NxM.any(axis=0).sum())
    false_alarms = len(found) - int(is_overlap_NxM.any(axis=1).sum())
    return matched, len(found), len(true), missed, false_alarms, seconds


def f1(counts: np.ndarray) -> np.ndarray:
    """F1 of events at tIoU 0.5, [...]; NaN where there are neither found nor true ones."""
    matched, events, true, *_ = np.moveaxis(counts, -1, 0)
    return _divide(2 * matched, events + true)


def miss_rate(counts: np.ndarray) -> np.ndarray:
    """The share of true events that no event overlaps, [...]; NaN where there are no true ones."""
    _, _, true, missed, *_ = np.moveaxis(counts, -1, 0)
    return _divide(missed, true)


def false_alarms_per_hour(counts: np.ndarray) -> np.ndarray:
    """Events that overlap no true one, an hour of video, [...]."""
    *_, false_alarms, seconds = np.moveaxis(counts, -1, 0)
    return _divide(3600 * false_alarms, seconds)


def _divide(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.divide(one, other, out=np.full(np.shape(one), np.nan), where=np.asarray(other) > 0)
