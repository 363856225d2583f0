"""`vidmodel check`: whether data sets, runs and exports are as they were written."""

from __future__ import annotations

import argparse

from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError

HELP = "read data sets, runs and exports anew and compare them with their sums"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a data set, a run, an export, or a folder of them")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> int:
    """Checks, and shows how many files are whole.

    Returns:
        The exit code: 2 where a file is not as it was written.
    """
    from vidmodel_tf.run_folder.check import check

    found = [folder for path in options.paths for folder in check(path)]
    faults = [f"{folder.path / fault.name}: {fault.what}" for folder in found for fault in folder.checked.faults]
    if options.json:
        show.print_json([folder.to_json() for folder in found])
        return 2 if faults else 0
    num_whole = sum(folder.checked.num_whole for folder in found)
    if faults:
        raise InputError(f"{len(faults)} files are not as they were written, {num_whole} are whole", faults)
    show.open_console().print(f"{num_whole} files in {len(found)} folders are whole")
    return 0
