"""`vidmodel evaluate`: metrics of a model on a split."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import show
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder.layout import check_model_path

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.evaluation.results import Evaluation

HELP = "metrics on a split, and what is left without words or frames"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    parser.add_argument("--data", metavar="data/NAME", help="default: the data set that the model was trained on")
    parser.add_argument("--split", default="test", help="default: %(default)s")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Evaluates, and shows the metrics of each head."""
    check_model_path(options.model)
    if options.data is not None:
        check_data_set_folder(options.data)
    import_keras()
    from vidmodel_tf.evaluation.evaluate import evaluate

    result = evaluate(options.model, data=options.data, split=options.split)
    if options.json:
        show.print_json(result.to_json())
    else:
        print_evaluation(result, show.open_console())


def print_evaluation(result: Evaluation, console: Console) -> None:
    """Accuracy with its interval beside the baseline and the ablations, then each class."""
    rows = [
        (head, figures.num_clips, show.number(figures.accuracy), show.interval(figures.interval_95),
         show.number(figures.baseline), *(show.number(values[head]) for values in result.ablations.values()))
        for head, figures in result.heads.items()
    ]  # fmt: skip
    columns = ["head", "clips", "accuracy", "95 % interval", "majority class"]
    names = [name.replace("_", " ") for name in result.ablations]
    console.print(show.table(f"split {result.split}", [*columns, *names], rows))
    for head, figures in result.heads.items():
        per_class = {name: row.to_json() for name, row in (figures.per_class or {}).items()}
        rows = [(name, *(show.number(value) for value in row.values())) for name, row in per_class.items()]
        keys = next(iter(per_class.values()), {})
        console.print(show.table(head, ["class", *(key.replace("_", " ") for key in keys)], rows))
