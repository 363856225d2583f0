"""`vidmodel export`: the forms in which a trained model runs elsewhere."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder.layout import check_finished

if TYPE_CHECKING:
    from rich.console import Console

HELP = "a run folder -> the forms in which a model runs elsewhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("run_dir", metavar="runs/NAME", help="a run folder")
    parser.add_argument("--out", required=True, metavar="saved_models/NAME", help="the folder of the model's versions")
    parser.add_argument(
        "--format",
        choices=["saved_model", "tflite", "onnx", "all"],
        default="saved_model",
        help="default: %(default)s; all: onnx among them where its extra is installed",
    )
    parser.add_argument("--data", metavar="data/NAME", help="where the run's data set lies now, if it was moved")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Exports, and shows where the forms are and how good they are."""
    if options.data is not None and options.format == "saved_model":
        raise InputError("--data: a SavedModel needs no data set; expected it with --format tflite, onnx or all")
    check_finished(options.run_dir)
    if options.data is not None:
        check_data_set_folder(options.data)
    import_tensorflow()
    from vidmodel_tf.export.lite.export import export_tflite
    from vidmodel_tf.export.onnx.export import export_onnx
    from vidmodel_tf.export.saved_model.export import export_saved_model

    exporters = {
        "tflite": functools.partial(export_tflite, data=options.data),
        "onnx": functools.partial(export_onnx, data=options.data),
        "saved_model": export_saved_model,  # last: if another fails, no server sees a new version
    }
    chosen = list(exporters) if options.format == "all" else [options.format]
    if options.format == "all" and importlib.util.find_spec("tf2onnx") is None:
        chosen.remove("onnx")
    exported = {name: str(exporters[name](options.run_dir, options.out)) for name in chosen}
    if options.json:
        show.print_json(exported)
    else:
        print_export(exported, options.run_dir, show.open_console())


def print_export(exported: dict[str, str], run_dir: str, console: Console) -> None:
    """Where each form is, how good, and how to check it."""
    for path in exported.values():
        console.print(f"exported: {path}")
    if "saved_model" in exported:
        console.print(f"check: vidmodel verify {exported['saved_model']} {run_dir}")
    if "onnx" in exported:
        console.print(f"check: vidmodel verify {exported['onnx']}/model.onnx {run_dir}")
    if "tflite" in exported:
        folder = Path(exported["tflite"])
        _print_lite_report(json.loads((folder / "report.json").read_text(encoding="utf-8")), console)
        console.print(f"check: vidmodel verify {folder / 'float16.tflite'} {run_dir}")


def _print_lite_report(report: dict[str, Any], console: Console) -> None:
    rows = [
        (
            name,
            f"{values['bytes'] / 1e6:.2f}",
            sum(values["ops"].values()),
            *map(show.number, values["milliseconds"].values()),
        )
        for name, values in report["files"].items()
    ]
    console.print(show.table("files", ["file", "MB", "ops", "ms, 1 thread", "ms, 2 threads"], rows))
    rows = [
        (
            name,
            head,
            show.scientific(found["max_difference"]),
            *(show.number(found[key]) for key in ("label_agreement", "accuracy")),
        )
        for name, heads in report["models"].items()
        for head, found in heads.items()
    ]
    rows += [("keras", head, "", "", show.number(accuracy)) for head, accuracy in report["keras"].items()]
    title = f"{report['num_clips']} clips of the split {report['split']}"
    columns = ["model", "head", "largest difference", "equal labels", "accuracy"]
    console.print(show.table(title, columns, rows))
