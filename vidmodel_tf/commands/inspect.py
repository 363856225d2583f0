"""`vidmodel inspect`: what is in a prepared data set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vidmodel_tf.commands import show
from vidmodel_tf.quiet import import_tensorflow

if TYPE_CHECKING:
    from rich.console import Console

HELP = "counts, words, balance, leaks and a contact sheet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("data", metavar="data/NAME", help="a prepared data set")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Inspects, and shows what was found."""
    import_tensorflow()
    from vidmodel_tf.records.inspect import inspect

    found = inspect(options.data)
    if options.json:
        show.print_json(found)
    else:
        print_inspection(found, show.open_console())


def print_inspection(found: dict[str, Any], console: Console) -> None:
    """Clips, classes and words per split, then leaks."""
    splits = found["splits"]
    rows = [(split, *(values[key] for key in ("clips", "sources", "seconds"))) for split, values in splits.items()]
    console.print(show.table(found["data"], ["split", "clips", "sources", "seconds"], rows))
    rows = [
        (head, name or "(not labelled)", *(splits[split]["labels"][head].get(name, 0) for split in splits))
        for head in found["balance"]
        for name in dict.fromkeys(name for values in splits.values() for name in values["labels"][head])
    ]
    console.print(show.table("classes", ["head", "class", *splits], rows))
    rows = [(field, *values.values()) for field, values in found["words"].items()]
    console.print(show.table("words", ["field", "clips with words", "median tokens", "most tokens"], rows))
    for source in found["leaks"]["sources_in_two_splits"]:
        console.print(f"leak: the source {source} is in two splits")
    for ids in found["leaks"]["same_frames"]:
        console.print(f"the same frames: {', '.join(ids)}")
    if found["contact_sheet"]:
        console.print(f"to look at: {found['contact_sheet']}")
