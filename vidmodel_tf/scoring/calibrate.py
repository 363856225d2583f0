"""Chooses the rule of each class on videos whose truth is known, and says what it is worth on others."""

from __future__ import annotations

from collections.abc import Sequence

from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.calibration import Calibration, LabelCalibration, RuleComparison, RuleFigures
from vidmodel_tf.scoring.choose_rule import choose_rule, held_out_counts
from vidmodel_tf.scoring.compare_rules import compare_rules
from vidmodel_tf.scoring.event_counts import count_events
from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.policy import Policy, default_policy
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.scoring.rule_grid import rule_grid
from vidmodel_tf.scoring.truth import HeadLabel

LEAST_EVENTS = 30
LEAST_VIDEOS = 4


def calibrate(
    videos: Sequence[LabelledVideo],
    classes: Sequence[HeadLabel],
    *,
    most_false_alarms_per_hour: float | None = None,
    warnings: Sequence[str] = (),
) -> Calibration:
    """Chooses a rule for each class.

    The rule is chosen on all videos. What it is worth is measured on videos that it was not chosen on: by
    cross-validation over whole videos, in which each fold has the rule that is best on the others. Where those
    figures cannot be told apart from the default rule's, the default rule is kept.

    Args:
        videos: At least `LEAST_VIDEOS`; all were looked through for all classes.
        classes: Those with fewer than `LEAST_EVENTS` true events get the default rule.
        most_false_alarms_per_hour: None: the best rule has the highest F1 of events at tIoU 0.5. Else the one that
            misses the fewest events among those with no more false alarms than this.
        warnings: Handed on.

    Raises:
        InputError: There are too few videos, or too few events of every class.
    """
    num_true = {what: sum(len(video.true_ranges(what)) for video in videos) for what in classes}
    if len(videos) < LEAST_VIDEOS or max(num_true.values(), default=0) < LEAST_EVENTS:
        counts = ", ".join(f"{count} of {what.label!r}" for what, count in num_true.items()) or "none"
        raise InputError(
            f"expected at least {LEAST_VIDEOS} videos and at least {LEAST_EVENTS} true events of a class. "
            f"Received: {len(videos)} videos; true events: {counts}; use the default rules until there are more"
        )
    labels: dict[str, list[str]] = {}
    for what in classes:
        labels.setdefault(what.head, []).append(what.label)
    found = tuple(
        _calibrate_rule(videos, rule, num_true[HeadLabel(rule.head, rule.label)], most_false_alarms_per_hour)
        for rule in default_policy(labels).rules
    )
    return Calibration(
        num_videos=len(videos),
        scored_seconds=sum(video.scores.end_seconds for video in videos),
        most_false_alarms_per_hour=most_false_alarms_per_hour,
        labels=found,
        policy=Policy(tuple(label.rule for label in found)),
        warnings=tuple(warnings),
    )


def _calibrate_rule(
    videos: Sequence[LabelledVideo], default: Rule, num_true: int, limit: float | None
) -> LabelCalibration:
    if num_true < LEAST_EVENTS:
        reason = f"{num_true} true events are too few to choose on: the default is kept"
        return LabelCalibration(default.head, default.label, num_true, rule=default, reason=reason)
    rules = rule_grid(default)
    counts_RxVx6 = count_events(videos, rules)
    best = rules[choose_rule(counts_RxVx6.sum(axis=1), limit)]
    comparison = compare_rules(counts_RxVx6[0], held_out_counts(counts_RxVx6, limit), limit)
    keeps_default, reason = _decide(best == default, comparison, limit)
    rule = default if keeps_default else best
    return LabelCalibration(default.head, default.label, num_true, rule, reason, best, comparison)


def _decide(is_default: bool, comparison: RuleComparison, limit: float | None) -> tuple[bool, str]:
    """Whether to keep the default, and why or why not."""
    if is_default and _is_over(comparison.default, limit):
        return True, f"the default is the best rule, but every rule has more than {limit:g} false alarms an hour"
    if is_default:
        return True, "the default is the best rule"
    if _is_over(comparison.default, limit):
        return False, f"the default has more than {limit:g} false alarms an hour{_warn_if_over(comparison, limit)}"
    goal = "F1" if limit is None else "miss rate"
    if comparison.is_better:
        return False, f"its {goal} is better than the default's{_warn_if_over(comparison, limit)}"
    return True, f"the best rule's {goal} cannot be told apart from the default's, or is worse: the default is kept"


def _is_over(figures: RuleFigures, limit: float | None) -> bool:
    value = figures.false_alarms_per_hour.value
    return limit is not None and value is not None and value > limit


def _warn_if_over(comparison: RuleComparison, limit: float | None) -> str:
    return "; on held-out videos the chosen rule has more, too" if _is_over(comparison.chosen, limit) else ""
