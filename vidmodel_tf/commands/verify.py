"""`vidmodel verify`: whether an exported model gives the answers of the run folder that it was made from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import check_finished, check_model_path, is_run_folder

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.forms.verify import Verification

HELP = "whether an exported model gives the answers of its run folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="an exported model")
    parser.add_argument("run_dir", metavar="runs/NAME", help="the run folder that it was made from")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> int:
    """Verifies; the exit code is 1 where the answers differ."""
    check_model_path(options.model)
    _check_order(options.model, options.run_dir)
    check_finished(options.run_dir)
    import_keras()
    from vidmodel_tf.forms.verify import verify

    result = verify(options.model, options.run_dir)
    if options.json:
        show.print_json(result.to_json())
    else:
        print_verification(result, show.open_console())
    return 0 if result.passed else 1


def _check_order(model: str, run_dir: str) -> None:
    if is_run_folder(Path(model)) and not is_run_folder(Path(run_dir)) and Path(run_dir).exists():
        raise InputError(
            "expected the exported model first, then its run folder. "
            f"Received: the run folder {model} for MODEL; did you mean `vidmodel verify {run_dir} {model}`?"
        )


def print_verification(result: Verification, console: Console) -> None:
    """The largest difference and the share of equal labels, a row for each head and way of asking."""
    rows = [
        (way, head, show.scientific(found.max_difference), show.number(found.label_agreement))
        for way, heads in result.answers.items()
        for head, found in heads.items()
    ]
    verdict = "the same" if result.passed else "NOT the same"
    title = f"{result.num_examples} examples: {verdict}, with a tolerance of {result.tolerance:g}"
    console.print(show.table(title, ["asked", "head", "largest difference", "equal labels"], rows))
