"""`vidmodel inspect`: what is in a prepared data set."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from vidmodel_tf.commands import show
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.records.layout import check_data_set_folder

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.records.inspection import Inspection

HELP = "counts, words, balance, leaks and a contact sheet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("data", metavar="data/NAME", help="a prepared data set")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Inspects, and shows what was found."""
    check_data_set_folder(options.data)
    import_tensorflow()
    from vidmodel_tf.records.inspect import inspect

    found = inspect(options.data)
    if options.json:
        show.print_json(found.to_json())
    else:
        print_inspection(found, show.open_console())


def print_inspection(found: Inspection, console: Console) -> None:
    """Clips, classes and words per split, where the words came from, then leaks and faults."""
    splits = found.splits
    rows = [(name, split.clips, split.sources, split.seconds) for name, split in splits.items()]
    console.print(show.table(str(found.data), ["split", "clips", "sources", "seconds"], rows))
    rows = [
        (head, name or "(not labelled)", *(split.labels[head].get(name, 0) for split in splits.values()))
        for head in found.balance
        for name in dict.fromkeys(name for split in splits.values() for name in split.labels[head])
    ]
    console.print(show.table("classes", ["head", "class", *splits], rows))
    rows = [(field, *dataclasses.astuple(words)) for field, words in found.words.items()]
    console.print(show.table("words", ["field", "clips with words", "median tokens", "most tokens"], rows))
    _print_origins(found, console)
    for source in found.leaks.sources_in_two_splits:
        console.print(f"leak: the source {source} is in two splits")
    for ids in found.leaks.same_frames:
        console.print(f"the same frames: {', '.join(ids)}")
    for clip_id in found.clips_of_one_picture:
        console.print(f"mostly one and the same picture: {clip_id}")
    if found.contact_sheet:
        console.print(f"to look at: {found.contact_sheet}")


def _print_origins(found: Inspection, console: Console) -> None:
    """By class: where one class has its words from another place than the others, that can give it away."""
    rows = [
        (field, origin, head, ", ".join(f"{name or '(not labelled)'} {count}" for name, count in counts.items()))
        for field, origins in found.words_from.items()
        for origin, heads in origins.items()
        for head, counts in heads.items()
    ]
    if rows:
        console.print(show.table("where words came from", ["field", "from", "head", "clips by class"], rows))
