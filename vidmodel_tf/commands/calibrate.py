"""`vidmodel calibrate`: a policy for events, chosen on videos whose truth is known."""

from __future__ import annotations

import argparse
import contextlib
import math
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.scoring.calibration import Calibration, Figure, LabelCalibration
    from vidmodel_tf.scoring.rule import Rule

HELP = "choose the rules for events on videos whose events are known"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="with NAME.timeline.json files of one model")
    parser.add_argument(
        "--truth", required=True, metavar="FILE", help="CSV: path,start_seconds,end_seconds,head,label; a row an event"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="where to write the policy, JSON")
    parser.add_argument(
        "--false-alarms-per-hour",
        type=_not_negative,
        metavar="X",
        help="miss as few events as possible with at most X false alarms an hour (default: the highest F1)",
    )
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Calibrates, and shows what was chosen for each class and what it is worth on held-out videos."""
    from vidmodel_tf.timelines.calibrate_timelines import calibrate_timelines

    result = calibrate_timelines(
        options.folders, options.truth, options.out, most_false_alarms_per_hour=options.false_alarms_per_hour
    )
    if options.json:
        show.print_json(result.to_json())
    else:
        print_calibration(result, show.open_console())
        print(f"wrote {options.out}")


def print_calibration(result: Calibration, console: Console) -> None:
    """The rule of each class and why, then what the choice is worth beside the default."""
    title = f"rules, from {result.num_videos} videos, {result.scored_seconds / 3600:.2f} hours"
    rules = [(label.label, label.num_true, *_settings(label.rule), label.reason) for label in result.labels]
    columns = ["class", "true events", "on", "off", "min s", "gap s", "why"]
    console.print(show.table(title, columns, rules))
    rows = [row for label in result.labels for row in _comparison_rows(label)]
    if rows:
        title = "on videos that the rule was not chosen on; 95 % intervals"
        columns = ["class", "", "F1 at tIoU 0.5", "miss rate", "false alarms an hour"]
        console.print(show.table(title, columns, rows))
    for warning in result.warnings:
        console.print(f"warning: {warning}")


def _settings(rule: Rule) -> tuple[str, ...]:
    return tuple(f"{value:g}" for value in (rule.on, rule.off, rule.min_seconds, rule.gap_seconds))


def _comparison_rows(label: LabelCalibration) -> list[list[str]]:
    if label.held_out is None or label.best_rule is None:
        return []
    pairs = [("default rule", label.held_out.default), ("chosen rule", label.held_out.chosen)]
    rows = [
        [label.label, name, *map(_figure, (each.f1, each.miss_rate, each.false_alarms_per_hour))]
        for name, each in pairs
    ]
    best = " / ".join(_settings(label.best_rule))
    return [*rows, [label.label, f"gain; best on all: {best}", _figure(label.held_out.gain), "", ""]]


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    return f"{show.number(figure.value)} ({show.interval(figure.interval_95)})"


def _not_negative(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"expected a number of 0 or more. Received: {text!r}")
