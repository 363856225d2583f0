"""`vidmodel train`: a data set becomes a run folder."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.backend.hosts import ALONE, Hosts
from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_training_settings, gather_training_settings
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder import layout

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.run_folder.run import Run

HELP = "a data set -> a run folder: the model and all that was decided"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("data", metavar="data/NAME", help="a prepared data set")
    parser.add_argument("--out", required=True, metavar="runs/NAME", help="the run folder to make, or to go on with")
    parser.add_argument("--fold", metavar="K/N", help="hold out fold K (from 1) of N, grouped by source")
    add_training_settings(parser)
    parser.add_argument(
        "--hosts",
        metavar="HOST:PORT,...",
        help="machines that train together, each by this command with its own --host-number; Keras on JAX only",
    )
    parser.add_argument("--host-number", type=int, metavar="N", help="which of them this one is, from 0")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Trains, or goes on with a training that was interrupted."""
    model_config, train_config = gather_training_settings(options)
    fold, hosts = _parse_fold(options.fold), _parse_hosts(options.hosts, options.host_number)
    was_finished = layout.is_finished(Path(options.out))
    check_data_set_folder(options.data)
    import_keras()
    from vidmodel_tf.training.train import train

    trained = train(options.data, options.out, model_config, train_config, fold=fold, hosts=hosts)
    if options.json:
        show.print_json(training_to_json(trained, was_finished))
    else:
        print_training(trained, was_finished, show.open_console())


def _parse_fold(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        k, n = (int(part) for part in text.split("/"))
    except ValueError:
        raise InputError(f"--fold: expected K/N, such as 1/5. Received: {text!r}") from None
    return k, n


def _parse_hosts(addresses: str | None, number: int | None) -> Hosts:
    if addresses is None and number is None:
        return ALONE
    if addresses is None or number is None:
        missing, given = ("--hosts", "--host-number") if addresses is None else ("--host-number", "--hosts")
        raise InputError(f"{missing}: expected together with {given}. Received: {given} alone")
    return Hosts(tuple(addresses.split(",")), number)


def training_to_json(run: Run, was_finished: bool) -> dict[str, object]:
    """What `--json` prints.

    Returns:
        `{"run", "was_finished", "stages": [{"name", "epochs", "monitor", "best_epoch", "lowest"}], "kept",
        "coverage"}`.
        `kept` is the epoch whose weights the model has, `{"epoch", "stage", LOSS or METRIC: value, ...}`, with epochs
        from 0 as in `history.csv`, or null; `coverage` is `{"types", "tokens"}` of the word vectors, or null.
    """
    from vidmodel_tf.training.history import kept_epoch, read_history, stage_results

    epochs = read_history(run.path)
    kept = kept_epoch(epochs)
    return {
        "run": str(run.path),
        "was_finished": was_finished,
        "stages": [result.to_json() for result in stage_results(epochs)],
        "kept": None if kept is None else kept.to_json(),
        "coverage": dataclasses.asdict(run.coverage) if run.coverage else None,
    }


def print_training(run: Run, was_finished: bool, console: Console) -> None:
    """How long each stage went on, and where the result is."""
    for stage in describe_stages(run):
        console.print(stage)
    state = "already trained with these arguments, nothing was done" if was_finished else "trained"
    console.print(f"{state}: {run.path}")
    console.print(f"watch: tensorboard --logdir {run.path / layout.LOGS}")
    console.print(f"next: vidmodel evaluate {run.path}")


def describe_stages(run: Run) -> list[str]:
    """A line for each stage of `history.csv`: its epochs, why it ended, and which epoch's weights it kept."""
    from vidmodel_tf.training.history import read_history, stage_results
    from vidmodel_tf.training.plan import is_refit

    patience, lines = run.config.train.patience, []
    for result in stage_results(read_history(run.path)):
        if is_refit(result.name):
            lines.append(f"{result.name}: {result.num_epochs} epochs, as many as were best before")
            continue
        waited = result.epochs_without_gain >= patience
        ended = f"ended by patience {patience}" if waited else "as many as were allowed"
        kept = f"kept epoch {result.best_epoch}, {result.monitor} {result.lowest:.4f}"
        if not result.best_epoch:
            kept = f"none kept, {result.monitor} was {result.lowest:.4f} before"
        lines.append(f"{result.name}: {result.num_epochs} epochs, {ended}; {kept}")
    return lines
