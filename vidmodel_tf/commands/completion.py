"""`vidmodel completion`: a script by which a shell completes commands, options and file names."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

HELP = "a script that makes a shell complete the words of a command"
DESCRIPTION = """\
Prints a script for a shell. To use it in bash, now and in every new shell:
  vidmodel completion bash > ~/.local/share/bash-completion/completions/vidmodel
In zsh, in a folder of $fpath: vidmodel completion zsh > FOLDER/_vidmodel
In tcsh: vidmodel completion tcsh > FILE, and `source FILE` in ~/.tcshrc
"""
SHELLS = ("bash", "zsh", "tcsh")

_PATHS = ("FILE", "FOLDER", "MODEL", "SOURCE")  # metavars; those with a slash (runs/NAME) are paths too


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS, help="which shell the script is for")


def run(options: argparse.Namespace) -> None:
    """Prints the script."""
    import shtab

    from vidmodel_tf.commands.parser import build_parser

    parser = build_parser()
    for action in _actions(parser):
        if action.metavar in _PATHS or "/" in str(action.metavar):
            action.complete = shtab.FILE
    print(shtab.complete(parser, options.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """The arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
