"""`vidmodel evaluate`: metrics of a model on a split."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vidmodel_tf.commands import show
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder.layout import check_model_path

if TYPE_CHECKING:
    from rich.console import Console

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
    import_tensorflow()
    from vidmodel_tf.evaluation.evaluate import evaluate

    result = evaluate(options.model, data=options.data, split=options.split)
    if options.json:
        show.print_json(result)
    else:
        print_evaluation(result, show.open_console())


def print_evaluation(result: dict[str, Any], console: Console) -> None:
    """Accuracy with its interval beside the baseline and the ablations, then each class."""
    rows = [
        (head, metrics["num_clips"], show.number(metrics["accuracy"]), show.interval(metrics["interval_95"]),
         show.number(metrics["baseline"]), *(show.number(values[head]) for values in result["ablations"].values()))
        for head, metrics in result["heads"].items()
    ]  # fmt: skip
    columns = ["head", "clips", "accuracy", "95 % interval", "majority class"]
    names = [name.replace("_", " ") for name in result["ablations"]]
    console.print(show.table(f"split {result['split']}", [*columns, *names], rows))
    for head, metrics in result["heads"].items():
        per_class = metrics["per_class"] or {}
        rows = [(name, *(show.number(value) for value in row.values())) for name, row in per_class.items()]
        keys = next(iter(per_class.values()), {})
        console.print(show.table(head, ["class", *(key.replace("_", " ") for key in keys)], rows))
