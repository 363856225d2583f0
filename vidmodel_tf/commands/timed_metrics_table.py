"""Figures of timelines as tables: how `vidmodel timeline --truth` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidmodel_tf.commands import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from vidmodel_tf.scoring.event_metrics import EventFigures
    from vidmodel_tf.scoring.timed_metrics import LabelFigures, TimedMetrics

_STEP_COLUMNS = ("head", "label", "steps", "base rate", "AUC", "AP")
_EVENT_COLUMNS = (
    "rule", "true", "events", "found", "missed", "AP", "F1", "false alarms", "an hour", "delay, median", "9 in 10",
)  # fmt: skip


def print_timed_metrics(metrics: TimedMetrics, console: Console) -> None:
    """A row for the steps of each class, a row for the events of each rule, then what was left out."""
    counted = f"{metrics.num_videos} video{'' if metrics.num_videos == 1 else 's'}"
    title = f"scores by step, {counted}, {metrics.scored_seconds / 3600:.2f} hours"
    console.print(show.table(title, _STEP_COLUMNS, map(_step_row, metrics.labels)))
    for label in metrics.labels:
        if label.steps.reason:
            console.print(f"{label.head} / {label.label}: no AUC and AP, as {label.steps.reason}")
        if not label.rules:
            console.print(f"{label.head} / {label.label}: no figures of events, as no rule of the policy watches it")
    rows = [_event_row(name, figures) for label in metrics.labels for name, figures in label.rules.items()]
    if rows:
        console.print(show.table("events; AP and F1 at tIoU 0.3 / 0.5 / 0.7", _EVENT_COLUMNS, rows))
        console.print(f"mAP at tIoU 0.3 / 0.5 / 0.7: {_by_iou(metrics.mean_average_precision)}")
    for warning in metrics.warnings:
        console.print(f"warning: {warning}")


def _step_row(label: LabelFigures) -> list[object]:
    steps = label.steps
    figures = (steps.base_rate, steps.auc, steps.average_precision)
    return [label.head, label.label, steps.num_steps, *(show.number(figure) for figure in figures)]


def _event_row(name: str, figures: EventFigures) -> list[object]:
    return [
        name,
        figures.num_true,
        figures.num_events,
        figures.found,
        figures.missed,
        _by_iou(figures.average_precision),
        _by_iou(figures.f1),
        figures.false_alarms,
        _short(figures.false_alarms_per_hour),
        _short(figures.delay_median_seconds, " s"),
        _short(figures.delay_p90_seconds, " s"),
    ]


def _by_iou(figures: Mapping[float, float | None]) -> str:
    return " / ".join(show.number(figure) for figure in figures.values())


def _short(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.1f}{unit}"
