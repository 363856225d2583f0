"""`vidmodel export`: the forms in which a trained model runs elsewhere."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from vidmodel_tf.backend.choose import import_keras, require_tensorflow
from vidmodel_tf.commands import show
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.layout import check_data_set_folder
from vidmodel_tf.run_folder.layout import check_finished

if TYPE_CHECKING:
    from rich.console import Console

    from vidmodel_tf.export.exported import Exported
    from vidmodel_tf.export.onnx.convert import NotConvertibleError
    from vidmodel_tf.export.report import FormReport

# What the formats need that have an extra of their own, which is called as they are.
PACKAGES = MappingProxyType({"onnx": ("tf2onnx", "onnx", "onnxruntime"), "openvino": ("openvino", "tf2onnx", "onnx")})
HELP = "a run folder -> the forms in which a model runs elsewhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("run_dir", metavar="runs/NAME", help="a run folder")
    parser.add_argument("--out", required=True, metavar="saved_models/NAME", help="the folder of the model's versions")
    parser.add_argument(
        "--format",
        choices=["saved_model", "tflite", "onnx", "openvino", "all"],
        default="saved_model",
        help="default: %(default)s; all: onnx and openvino among them where their extras are installed and can convert "
        "the model",
    )
    parser.add_argument("--data", metavar="data/NAME", help="where the run's data set lies now, if it was moved")
    show.add_json_flag(parser)


def run(options: argparse.Namespace) -> None:
    """Exports, and shows where the forms are and how good they are."""
    if options.data is not None and options.format == "saved_model":
        raise InputError(
            "--data: a SavedModel needs no data set; expected it with --format tflite, onnx, openvino or all"
        )
    check_finished(options.run_dir)
    require_tensorflow("exports")
    if options.data is not None:
        check_data_set_folder(options.data)
    import_keras()
    from vidmodel_tf.export.export_formats import FORMATS, export_formats

    chosen = set(FORMATS) - _not_installed() if options.format == "all" else {options.format}
    leave_out = _print_left_out if options.format == "all" else None
    exported = export_formats(options.run_dir, options.out, chosen, data=options.data, leave_out=leave_out)
    for name, form in exported.items():
        if form.report is not None and form.report.notes:
            print(f"vidmodel export: {name}: {'; '.join(form.report.notes)}", file=sys.stderr)
    if options.json:
        show.print_json({name: str(form.path) for name, form in exported.items()})
    else:
        print_exported(exported, options.run_dir, show.open_console())


def print_exported(exported: Mapping[str, Exported], run_dir: str, console: Console) -> None:
    """Where each form is, how good, and how to check it."""
    for name, form in exported.items():
        console.print(f"exported: {form.path}")
        if form.report is not None:
            _print_report(name, form.report, console)
    for form in exported.values():
        console.print(f"check: vidmodel verify {form.model} {run_dir}")


def _not_installed() -> set[str]:
    """The formats whose extra is not installed; each is told."""
    left_out = set()
    for name, packages in PACKAGES.items():
        if missing := [package for package in packages if importlib.util.find_spec(package) is None]:
            left_out.add(name)
            print(
                f"vidmodel export: {name} is left out, as {', '.join(missing)} is not installed: "
                f'pip install "vidmodel_tf[{name}]"',
                file=sys.stderr,
            )
    return left_out


def _print_left_out(name: str, error: NotConvertibleError) -> None:
    print(f"vidmodel export: {name} is left out: {error}", file=sys.stderr)


def _print_report(name: str, report: FormReport, console: Console) -> None:
    rows = [
        (
            file_name,
            f"{file.num_bytes / 1e6:.2f}",
            sum(file.ops.values()),
            *(show.number(file.milliseconds[threads]) for threads in (1, 2)),
        )
        for file_name, file in report.files.items()
    ]
    beside = "" if report.keras_milliseconds is None else f", beside {report.keras_milliseconds:.3f} ms a clip in Keras"
    columns = ["file", "MB", "ops", "ms, 1 thread", "ms, 2 threads"]
    console.print(show.table(f"{name}: files{beside}", columns, rows))
    measured = report.models
    if measured is None:
        return
    rows = [
        (
            model,
            head,
            show.scientific(found.agreement.max_difference),
            show.number(found.agreement.label_agreement),
            show.number(found.accuracy),
        )
        for model, heads in measured.models.items()
        for head, found in heads.items()
    ]
    rows += [("keras", head, "", "", show.number(accuracy)) for head, accuracy in measured.keras.items()]
    columns = ["model", "head", "largest difference", "equal labels", "accuracy"]
    console.print(show.table(f"{name}: {measured.num_clips} clips of the split {measured.split}", columns, rows))
