"""`vidmodel compress`: a trained run becomes a smaller one that does its work."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras, require_tensorflow
from vidmodel_tf.commands import show
from vidmodel_tf.commands.settings import add_settings_of_student, gather_settings_of_student
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder.layout import COMPRESSION, check_finished

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.compression.results import Compression

HELP = "a run folder -> a smaller one, taught by it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("run_dir", metavar="runs/BIG", help="the run folder of the teacher")
    parser.add_argument("--out", required=True, metavar="runs/SMALL", help="the run folder to make, or to go on with")
    parser.add_argument(
        "--data", metavar="data/NAME", help="what to learn on (default: the data set that the teacher was trained on)"
    )
    add_settings_of_student(parser)
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Distils, or goes on with a distillation that was interrupted, and shows what it is worth."""
    check_finished(options.run_dir)
    require_tensorflow("compressions")
    if options.data is not None:
        check_data_set_folder(options.data)
    settings = gather_settings_of_student(options, Path(options.run_dir))
    import_keras()
    from vidmodel_tf.compression.compress import compress

    result = compress(options.run_dir, options.out, *settings, data=options.data)
    if options.json:
        show.print_json(result.to_json())
    else:
        print_compression(result, options.out, show.open_console())


def print_compression(result: Compression, out: str, console: Console) -> None:
    """Size and speed of both models, then how often each is right and how often they agree."""
    rows = [
        (name, f"{model.num_parameters:,}", f"{model.num_bytes / 1e6:.2f}", _count(model.backbone_channels),
         _count(model.backbone_multiply_adds), f"{model.milliseconds:.2f}")
        for name, model in (("teacher", result.teacher), ("student", result.student))
    ]  # fmt: skip
    title = f"the student is {result.speedup:.2f} times as fast"
    columns = ["model", "parameters", "MB", "channels of the backbone", "multiply-adds a picture", "ms a clip"]
    console.print(show.table(title, columns, rows))
    rows = [
        (head, found.num_clips, show.number(found.teacher_accuracy), show.number(found.student_accuracy),
         *(("-", "-", "-") if found.difference is None else
           (f"{found.difference.difference:+.3f}", show.interval(found.difference.interval_95),
            found.difference.verdict)),
         show.number(found.label_agreement))
        for head, found in result.heads.items()
    ]  # fmt: skip
    columns = ["head", "clips", "teacher", "student", "difference", "95 % interval", "the student is", "agreement"]
    console.print(show.table(f"accuracy, split {result.split}, {result.num_clips} clips", columns, rows))
    console.print(f"report: {Path(out) / COMPRESSION}")
    console.print(f"next: vidmodel evaluate {out}")


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
