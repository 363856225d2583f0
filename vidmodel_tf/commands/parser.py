"""The argument parser, built from the modules of this folder."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from vidmodel_tf.version import __version__

# In the order in which `vidmodel --help` lists them. "serving-client" is the module `serving_client`.
COMMANDS = (
    "demo",
    "words",
    "prepare",
    "inspect",
    "vectors",
    "train",
    "compress",
    "crossvalidate",
    "compare",
    "evaluate",
    "predict",
    "timeline",
    "decide",
    "calibrate",
    "audit",
    "watch",
    "export",
    "verify",
    "check",
    "serving-client",
    "completion",
)


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line, with a hint where a file name was taken for an option."""

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """As argparse does, but a command itself refuses what it does not know; keeps the arguments for the hint."""
        self._given: list[str] = list(args[0] or ()) if args else []
        options, unknown = super().parse_known_args(*args, **kwargs)
        if unknown and not self._subparsers:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Exits with code 2."""
        from vidmodel_tf.video.address import hide_password

        for word in message.split():
            message = hide_password(message, word)
        self.exit(2, f"{self.prog}: {message}{self._hint()} (see {self.prog} --help)\n")

    def _hint(self) -> str:
        options = self._given[: self._given.index("--")] if "--" in self._given else self._given
        for word in options:
            if word.startswith("-") and (Path(word).suffix or Path(word).exists()) and "=" not in word:
                return f"; write -- before a file whose name begins with a dash: -- {word}"
        return ""


def build_parser(names: Sequence[str] = COMMANDS) -> Parser:
    """The parser of some commands; only their modules are imported."""
    parser = Parser(prog="vidmodel", description="Train your own classifier of videos with words, and use it.")
    parser.add_argument("--version", action="version", version=f"vidmodel {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        module = importlib.import_module(f"vidmodel_tf.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
