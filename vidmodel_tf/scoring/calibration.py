"""What `calibrate` found, as values with the JSON that programs read."""

from __future__ import annotations

import dataclasses

from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of several videos.

    Attributes:
        value: None where it would be 0/0.
        interval_95: By a bootstrap over whole videos; None where the value is None.
    """

    value: float | None
    interval_95: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class RuleFigures:
    """What a rule is worth.

    Attributes:
        f1: Of events at tIoU 0.5.
        miss_rate: The share of true events that no event overlaps.
        false_alarms_per_hour: Events that overlap no true one, an hour of video.
    """

    f1: Figure
    miss_rate: Figure
    false_alarms_per_hour: Figure


@dataclasses.dataclass(frozen=True)
class RuleComparison:
    """Rules that were chosen, beside the default rule, on the same videos.

    Attributes:
        chosen: For each video of rules that were chosen without it.
        default: Of the default rule.
        gain: By how much the choice is better, above 0 where it is: in F1, or in miss rate where false alarms are
            limited.
    """

    chosen: RuleFigures
    default: RuleFigures
    gain: Figure

    @property
    def is_better(self) -> bool:
        """Whether the whole interval of the gain lies above 0."""
        return self.gain.interval_95 is not None and self.gain.interval_95[0] > 0


@dataclasses.dataclass(frozen=True)
class LabelCalibration:
    """What was found for one class.

    Attributes:
        head: The head and
        label: the class.
        num_true: How many true events there are.
        rule: The one in the policy.
        reason: Why this one.
        best_rule: The best rule on all videos; None where there are too few events to look for it.
        held_out: What such a choice is worth on other videos; None likewise.
    """

    head: str
    label: str
    num_true: int
    rule: Rule
    reason: str
    best_rule: Rule | None = None
    held_out: RuleComparison | None = None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What was found.

    Attributes:
        num_videos: How many were scored.
        scored_seconds: Their length together.
        most_false_alarms_per_hour: The limit that was asked for; None: F1 was the goal.
        labels: By class.
        policy: The rules of all classes.
        warnings: What was left out or changed, one line each.
    """

    num_videos: int
    scored_seconds: float
    most_false_alarms_per_hour: float | None
    labels: tuple[LabelCalibration, ...]
    policy: Policy
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The fields by name; the policy as its file holds it."""
        return {**dataclasses.asdict(self), "policy": self.policy.to_json()}
