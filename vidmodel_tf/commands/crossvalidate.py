"""`vidmodel crossvalidate`: how well settings do on sources that the model was not trained on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras
from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_cluster, add_training_settings, gather_training_settings
from vidmodel_tf.records.layout import check_data_set_folder

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.evaluation.results import CrossValidation, PooledResult

HELP = "how well settings do on sources never trained on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("data", metavar="data/NAME", help="a prepared data set")
    parser.add_argument("--out", required=True, metavar="runs/NAME", help="the folder to make, or to go on with")
    parser.add_argument("--folds", type=int, default=5, help="grouped by source (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="partitions and initial weights (default: %(default)s)")
    parser.add_argument("--random-split", action="store_true", help="split sources between folds: flatters")
    parser.add_argument("--workers", type=int, default=0, help="processes that train at once (default: one a core)")
    add_cluster(parser)
    add_training_settings(parser)
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Cross-validates, or goes on with a cross-validation that was interrupted."""
    model_config, train_config = gather_training_settings(options)
    check_data_set_folder(options.data)
    import_keras()
    from vidmodel_tf.evaluation.crossvalidate import crossvalidate

    result = crossvalidate(
        options.data,
        options.out,
        model_config,
        train_config,
        num_folds=options.folds,
        num_seeds=options.seeds,
        random_split=options.random_split,
        num_workers=options.workers,
        cluster=options.cluster,
    )
    if options.json:
        show.print_json(result.to_json())
    else:
        print_crossvalidation(result, show.open_console())


def print_crossvalidation(result: CrossValidation, console: Console) -> None:
    """Pooled accuracy with its interval and spread, one row for each labelled head."""
    rows = [(head, *_cells(figures)) for head, figures in result.heads.items() if figures]
    kind = "random split (flatters)" if result.random_split else "grouped by source"
    title = f"{result.folds} folds, {result.seeds} seeds, {kind}"
    columns = ["head", "clips", "sources", "accuracy", "95 % interval", "sd over seeds", "sd over folds"]
    console.print(show.table(title, columns, rows))
    console.print(f"predictions: {result.predictions}")


def _cells(figures: PooledResult) -> list[str]:
    return [
        show.number(figures.num_clips),
        show.number(figures.num_sources),
        show.number(figures.pooled_accuracy),
        show.interval(figures.interval_95),
        show.number(figures.sd_over_seeds),
        show.number(figures.sd_over_folds),
    ]
