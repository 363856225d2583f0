"""How well the events that a rule finds agree with the true ones, over several videos."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.scoring.event_matching import average_precision, match_events
from vidmodel_tf.scoring.find_events import find_events
from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.overlap import TimeRange, overlap_seconds
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.truth import HeadLabel

LEAST_IOUS = (0.3, 0.5, 0.7)
"""The overlaps (temporal intersection over union) at which events are matched."""


@dataclasses.dataclass(frozen=True)
class EventFigures:
    """Figures over all events of all videos.

    Attributes:
        num_true: How many true events there are.
        num_events: How many events the rule finds.
        average_precision: By the least tIoU: `event_matching.average_precision`; None without true events.
        f1: By the least tIoU: 2 * matched / (true + found); None where there are neither.
        found: How many true events any event overlaps.
        missed: How many true events no event overlaps.
        false_alarms: How many events overlap no true one.
        false_alarms_per_hour: Of scored video; None where there is no video.
        delay_median_seconds: From the start of a true event that is found to when it is told live: `min_seconds` after
            the start of the first event that overlaps it, 0 if that is before the true start. None if none is found.
        delay_p90_seconds: Nine in ten are told within this time.
    """

    num_true: int
    num_events: int
    average_precision: dict[float, float | None]
    f1: dict[float, float | None]
    found: int
    missed: int
    false_alarms: int
    false_alarms_per_hour: float | None
    delay_median_seconds: float | None
    delay_p90_seconds: float | None

    def to_json(self) -> dict[str, object]:
        """The fields by name; a least tIoU is a text, as JSON wants keys to be."""
        by_iou = {
            name: {str(iou): value for iou, value in getattr(self, name).items()}
            for name in ("average_precision", "f1")
        }
        return {**dataclasses.asdict(self), **by_iou}


@dataclasses.dataclass(frozen=True)
class _VideoEvents:
    """The events of one video, found and true."""

    found: tuple[TimeRange, ...]
    scores: tuple[float, ...]
    true: tuple[TimeRange, ...]

    def is_overlap(self) -> np.ndarray:
        """Whether found and true events overlap, booleans [N, M]."""
        return overlap_seconds(self.found, self.true) > 0


def event_metrics(videos: Sequence[LabelledVideo], rule: Rule) -> EventFigures:
    """Measures the events of one rule. Padding is for those who look at an event: it is left out.

    Raises:
        InputError: A video has no scores of the rule's class.
    """
    events = [_events_of(video, rule) for video in videos]
    seconds = sum(video.scores.end_seconds for video in videos)
    num_true, num_events = sum(len(each.true) for each in events), sum(len(each.found) for each in events)
    found = sum(int(each.is_overlap().any(axis=0).sum()) for each in events)
    false_alarms = sum(int((~each.is_overlap().any(axis=1)).sum()) for each in events)
    delays = [delay for each in events for delay in _delays(each, rule.min_seconds)]
    return EventFigures(
        num_true=num_true,
        num_events=num_events,
        average_precision={iou: _average_precision(events, iou) for iou in LEAST_IOUS},
        f1={iou: f1_score(_num_matched(events, iou), num_events, num_true) for iou in LEAST_IOUS},
        found=found,
        missed=num_true - found,
        false_alarms=false_alarms,
        false_alarms_per_hour=false_alarms / seconds * 3600 if seconds else None,
        delay_median_seconds=float(np.median(delays)) if delays else None,
        delay_p90_seconds=float(np.percentile(delays, 90)) if delays else None,
    )


def f1_score(num_matched: float, num_found: float, num_true: float) -> float | None:
    """The harmonic mean of precision and recall; None where there is nothing to find and nothing was found."""
    return 2 * num_matched / (num_found + num_true) if num_found + num_true else None


def _events_of(video: LabelledVideo, rule: Rule) -> _VideoEvents:
    events = find_events(video.scores, Policy((dataclasses.replace(rule, pad_seconds=(0.0, 0.0)),)))
    return _VideoEvents(
        found=tuple((event.start_seconds, event.end_seconds) for event in events),
        scores=tuple(event.score for event in events),
        true=video.true_ranges(HeadLabel(rule.head, rule.label)),
    )


def _matched(each: _VideoEvents, least_iou: float) -> np.ndarray:
    return match_events(each.found, each.scores, each.true, least_iou)


def _num_matched(events: Sequence[_VideoEvents], least_iou: float) -> int:
    return sum(int(_matched(each, least_iou).sum()) for each in events)


def _average_precision(events: Sequence[_VideoEvents], least_iou: float) -> float | None:
    scores = [score for each in events for score in each.scores]
    is_matched = [bool(value) for each in events for value in _matched(each, least_iou)]
    return average_precision(scores, is_matched, sum(len(each.true) for each in events))


def _delays(each: _VideoEvents, min_seconds: float) -> list[float]:
    """The delay of each true event that is found. The found ones are in the order of their start."""
    delays = []
    for is_overlap_N, (start, _) in zip(each.is_overlap().T, each.true, strict=True):
        if is_overlap_N.any():
            told = each.found[int(is_overlap_N.argmax())][0] + min_seconds
            delays.append(max(told - start, 0.0))
    return delays
