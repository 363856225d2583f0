"""What scores over time, and the events in them, are worth where the truth is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from vidmodel_tf.scoring.event_metrics import LEAST_IOUS, EventFigures, event_metrics
from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.step_metrics import StepFigures, step_metrics
from vidmodel_tf.scoring.truth import HeadLabel


@dataclasses.dataclass(frozen=True)
class LabelFigures:
    """Figures of one class.

    Attributes:
        head: The head and
        label: the class.
        steps: Of its scores.
        rules: Of the events of each rule that watches it, by the rule's name.
    """

    head: str
    label: str
    steps: StepFigures
    rules: dict[str, EventFigures]

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "head": self.head,
            "label": self.label,
            "steps": self.steps.to_json(),
            "rules": {name: figures.to_json() for name, figures in self.rules.items()},
        }


@dataclasses.dataclass(frozen=True)
class TimedMetrics:
    """Figures of several videos.

    Attributes:
        num_videos: How many were scored.
        scored_seconds: Their length together.
        labels: The classes that the truth names, in its order.
        mean_average_precision: By the least tIoU: the mean over the rules that have one (mAP); None where none has.
        warnings: What was left out or changed, one line each.
    """

    num_videos: int
    scored_seconds: float
    labels: tuple[LabelFigures, ...]
    mean_average_precision: dict[float, float | None]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields by name; a least tIoU is a text, as JSON wants keys to be."""
        return {
            "num_videos": self.num_videos,
            "scored_seconds": self.scored_seconds,
            "labels": [label.to_json() for label in self.labels],
            "mean_average_precision": {str(iou): value for iou, value in self.mean_average_precision.items()},
            "warnings": list(self.warnings),
        }


def timed_metrics(
    videos: Sequence[LabelledVideo], classes: Sequence[HeadLabel], policy: Policy, warnings: Sequence[str] = ()
) -> TimedMetrics:
    """Measures the scores of some classes, and the events that the policy finds in them.

    Args:
        videos: All were looked through for all the classes.
        classes: Those that are measured. Rules of other classes are left out.
        policy: Finds the events.
        warnings: Handed on.

    Raises:
        InputError: A video lacks the scores of a class.
    """
    labels = tuple(_label_figures(videos, what, policy) for what in classes)
    rules = [figures for label in labels for figures in label.rules.values()]
    return TimedMetrics(
        num_videos=len(videos),
        scored_seconds=sum(video.scores.end_seconds for video in videos),
        labels=labels,
        mean_average_precision={iou: _mean(rule.average_precision[iou] for rule in rules) for iou in LEAST_IOUS},
        warnings=tuple(warnings),
    )


def _label_figures(videos: Sequence[LabelledVideo], what: HeadLabel, policy: Policy) -> LabelFigures:
    watching = [rule for rule in policy.rules if (rule.head, rule.label) == (what.head, what.label)]
    rules = {rule.name: event_metrics(videos, rule) for rule in watching}
    return LabelFigures(what.head, what.label, step_metrics(videos, what), rules)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
