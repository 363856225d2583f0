"""`vidmodel compare`: whether one cross-validation is better than another."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.evaluation.results import Comparison

HELP = "whether one cross-validation is better than another, by pairs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("one", metavar="runs/ONE", help="a folder of crossvalidate")
    parser.add_argument("other", metavar="runs/OTHER", help="another, of the same clips")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Compares, and shows the difference for each head."""
    from vidmodel_tf.evaluation.compare import compare

    result = compare(options.one, options.other)
    if options.json:
        show.print_json(result.to_json())
    else:
        print_comparison(result, show.open_console())


def print_comparison(result: Comparison, console: Console) -> None:
    """The paired difference, one row for each head."""
    rows = [
        (head, f"{found.difference:+.3f}", show.interval(found.interval_95), found.verdict)
        for head, found in result.heads.items()
    ]
    console.print(show.table("first minus second", ["head", "accuracy", "95 % interval", "the first is"], rows))
