"""`vidmodel demo`: all the way from video files to answers, on clips that it draws itself, offline, in minutes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import evaluate, prepare, show

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.evaluation.results import Evaluation

HELP = "draw clips, train on them, and show what the answers rest on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "--dir", default="data/demo", metavar="FOLDER", help="for clips, data set and run (default: %(default)s)"
    )
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Leaves `clips`, `dataset` and `run` in the folder, all usable by the other commands."""
    import_keras()
    figures = run_demo(Path(options.dir), show.open_console(quiet=options.json))
    if options.json:
        show.print_json(figures)


def run_demo(folder: Path, console: Console) -> dict[str, Any]:
    """Takes the steps that a user takes, and prints each.

    Returns:
        The figures of the last table, and where the model is:
        `{"run", "num_clips", "accuracy", "ablations": {NAME: {"accuracy", "chance"}}}`.
    """
    from vidmodel_tf.demo.drawn_clips import draw_demo
    from vidmodel_tf.demo.settings import MODEL, PREPARE, TRAIN
    from vidmodel_tf.evaluation.evaluate import evaluate as evaluate_model
    from vidmodel_tf.forms.keras_form import KerasForm
    from vidmodel_tf.records.prepare import prepare as prepare_clips
    from vidmodel_tf.scoring.clips import predict
    from vidmodel_tf.training.train import train

    console.print("1. drawing clips: a ball changes its colour, and the title asks which came first or last")
    manifest = draw_demo(folder / "clips")
    console.print("2. vidmodel prepare")
    prepare.print_report(prepare_clips(manifest, folder / "dataset", PREPARE), console)
    console.print("3. vidmodel train")
    model = KerasForm(train(folder / "dataset", folder / "run", MODEL, TRAIN))
    console.print("4. vidmodel evaluate")
    result = evaluate_model(model)
    evaluate.print_evaluation(result, console)
    figures = {"run": str(folder / "run"), **_compare_with_chance(result)}
    _print_figures(figures, console)
    console.print("5. vidmodel predict, with the words that lie beside each video")
    videos = sorted((folder / "clips").glob("**/test-*.mp4"))[:4]
    show.print_answers(list(predict(model, videos)), console)
    console.print(f"next: vidmodel inspect {folder / 'dataset'}", soft_wrap=True)
    console.print(
        f"      vidmodel predict {folder / 'run'} {videos[0]} --text 'Which colour comes last?'", soft_wrap=True
    )
    return figures


def _compare_with_chance(result: Evaluation) -> dict[str, Any]:
    from vidmodel_tf.demo.drawn_clips import chance_levels

    (head,) = result.heads
    return {
        "num_clips": result.num_clips,
        "accuracy": result.heads[head].accuracy,
        "ablations": {
            name: {"accuracy": result.ablations[name][head], "chance": chance}
            for name, chance in chance_levels().items()
        },
    }


def _print_figures(figures: dict[str, Any], console: Console) -> None:
    console.print(f"test accuracy {figures['accuracy']:.3f}; what is left of it, beside chance:")
    for name, found in figures["ablations"].items():
        console.print(f"  {name.replace('_', ' '):16} {found['accuracy']:.3f}  (chance {found['chance']:.3f})")
