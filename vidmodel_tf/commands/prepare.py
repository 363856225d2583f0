"""`vidmodel prepare`: videos and words become a data set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_cluster, add_settings, gather_prepare_settings
from vidmodel_tf.quiet import import_tensorflow

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.records.prepare_report import PrepareReport

_CLIPS_NAMED = 20  # of those with warnings; the report beside the data set has them all

HELP = "videos and words -> a data set of TFRecords"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("source", metavar="SOURCE", help="a folder of class folders, or a CSV or JSONL file with paths")
    parser.add_argument("--out", required=True, metavar="data/NAME", help="the data set to make")
    add_cluster(parser)
    add_settings(parser, "prepare")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Prepares, and shows what was stored and what was refused."""
    config = gather_prepare_settings(options)
    import_tensorflow()
    from vidmodel_tf.records.prepare import prepare

    report = prepare(options.source, options.out, config, cluster=options.cluster)
    if options.json:
        show.print_json(report.to_json())
    else:
        print_report(report, show.open_console())


def print_report(report: PrepareReport, console: Console) -> None:
    """Counts per split and class, then what was refused, passed over and ignored, and warnings."""
    from vidmodel_tf.clips.manifest.passed_over import describe_counts

    splits = report.counts
    classes = next(iter(splits.values())).labels
    rows = [
        (head, name, *(counts.labels[head][name] for counts in splits.values()))
        for head, names in classes.items()
        for name in names
    ]
    console.print(show.table(f"{report.num_clips} clips stored", ["head", "class", *splits], rows))
    for clip_id, reason in report.refused.items():
        console.print(f"refused: {clip_id}: {reason}")
    if report.passed_over:
        console.print(f"passed over: {describe_counts(report.passed_over)}")
    for clip_id, lines in list(report.clip_warnings.items())[:_CLIPS_NAMED]:
        console.print(f"warning: {clip_id}: {'; '.join(lines)}")
    if len(report.clip_warnings) > _CLIPS_NAMED:
        console.print(f"warning: {len(report.clip_warnings) - _CLIPS_NAMED} more clips, see prepare_report.json")
    for warning in report.warnings:
        console.print(f"warning: {warning}")
    if report.ignored_columns:
        console.print(f"ignored columns: {', '.join(report.ignored_columns)}")
