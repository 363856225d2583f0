"""`vidmodel audit`: whether a log of decisions is as it was written."""

from __future__ import annotations

import argparse

from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError

HELP = "check that no line of a log of decisions was changed, removed or added"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="a log that --audit wrote")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> int:
    """Checks, and shows the number of lines and the last hash.

    Returns:
        The exit code: 2 where the log is not as it was written.
    """
    from vidmodel_tf.scoring.audit import check_audit

    report = check_audit(options.file)
    if options.json:
        show.print_json(report.to_json())
        return 0 if report.fault is None else 2
    if report.fault is not None:
        raise InputError(f"{options.file}: line {report.fault.line} {report.fault.reason}")
    show.open_console().print(f"{options.file}: {report.num_lines} lines in order; the last hash is {report.last_hash}")
    return 0
