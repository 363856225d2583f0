"""`vidmodel`: runs the command that the arguments name, and reports what went wrong in one line."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Sequence

from vidmodel_tf.commands.parser import COMMANDS, build_parser
from vidmodel_tf.end_on_signals import Ending
from vidmodel_tf.errors import InputError, VidmodelError, disk_failure
from vidmodel_tf.remote.store import is_url

_RESUMABLE = ("demo", "prepare", "train", "compress", "crossvalidate", "timeline")
_WRONG_PATHS = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: What follows `vidmodel` on the command line. None: the arguments of this process, which then ends
            soon after Ctrl-C and `kill`, with a line and without a traceback.

    Returns:
        The exit code: 0, 1 for a failure, 2 for bad input.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file may not be Unicode
    if arguments is not None:
        return _run(list(arguments), contextlib.nullcontext)
    arguments = sys.argv[1:]
    ending = Ending(_interrupted(arguments))
    with ending.begun():
        return _run(arguments, ending.begun)


def _run(arguments: list[str], begun: Callable[[], contextlib.AbstractContextManager[None]]) -> int:
    named = arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS
    options = build_parser(named).parse_args(arguments)
    try:
        with begun():  # an error that comes of an interruption is not told
            _check_out(options)
            return options.run(options) or 0
    except VidmodelError as error:
        print(f"vidmodel {options.command}: {error}", file=sys.stderr)
        for detail in error.details:
            print(f"  {detail}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output (`head`, say) closed it
        sys.stdout = None
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"vidmodel {options.command}: {where}{error.strerror or error}", file=sys.stderr)
        return 2 if isinstance(error, _WRONG_PATHS) else 1
    except Exception as error:
        if (reason := disk_failure(error)) is None:
            raise
        print(f"vidmodel {options.command}: {reason}", file=sys.stderr)
        return 1


def _check_out(options: argparse.Namespace) -> None:
    out = getattr(options, "out", None)
    if options.command != "prepare" and out is not None and is_url(str(out)):
        raise InputError(f"--out: expected a path, for `prepare` alone writes to addresses. Received: {out}")


def _interrupted(arguments: list[str]) -> str:
    command = next(iter(arguments), "")
    advice = "; the same command goes on from here" if command in _RESUMABLE else ""
    return f"vidmodel {command}: interrupted{advice}"
