"""`vidmodel prepare`: videos and words become a data set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_settings, gather_prepare_settings
from vidmodel_tf.quiet import import_tensorflow

if TYPE_CHECKING:
    from rich.console import Console

HELP = "videos and words -> a data set of TFRecords"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("source", help="a folder of class folders, or a CSV or JSONL file with a path column")
    parser.add_argument("--out", required=True, metavar="data/NAME", help="the data set to make")
    add_settings(parser, "prepare")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Prepares, and shows what was stored and what was refused."""
    config = gather_prepare_settings(options)
    import_tensorflow()
    from vidmodel_tf.records.prepare import prepare

    report = prepare(options.source, options.out, config)
    if options.json:
        show.print_json(report)
    else:
        print_report(report, show.open_console())


def print_report(report: dict[str, Any], console: Console) -> None:
    """Counts per split and class, then what was refused, passed over and ignored, and warnings."""
    from vidmodel_tf.clips.manifest.passed_over import describe_counts

    splits = report["counts"]
    rows = [
        (head, name, *(splits[split]["labels"][head][name] for split in splits))
        for head in next(iter(splits.values()))["labels"]
        for name in next(iter(splits.values()))["labels"][head]
    ]
    console.print(show.table(f"{report['num_clips']} clips stored", ["head", "class", *splits], rows))
    for clip_id, reason in report["refused"].items():
        console.print(f"refused: {clip_id}: {reason}")
    if report["passed_over"]:
        console.print(f"passed over: {describe_counts(report['passed_over'])}")
    for warning in report["warnings"]:
        console.print(f"warning: {warning}")
    if report["ignored_columns"]:
        console.print(f"ignored columns: {', '.join(report['ignored_columns'])}")
