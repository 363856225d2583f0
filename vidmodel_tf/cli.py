"""The command line: arguments in, a table or JSON out, one line for what went wrong.

No logic, and no TensorFlow before a command runs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.version import __version__

_WRONG_PATHS = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see vidmodel COMMAND --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    parser = _Parser(prog="vidmodel", description="Train your own classifier of videos with words, and use it.")
    parser.add_argument("--version", action="version", version=f"vidmodel {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_prepare(commands)
    _add_inspect(commands)
    _add_train(commands)
    _add_crossvalidate(commands)
    _add_compare(commands)
    _add_evaluate(commands)
    _add_predict(commands)
    _add_export(commands)
    _add_verify(commands)
    _add_serving_client(commands)
    return parser


def _add_demo(commands: Any) -> None:
    command = commands.add_parser("demo", help="draw clips, train on them, and show what the answers rest on")
    command.add_argument("--dir", default="data/demo", help="where clips, data set and run go (default: %(default)s)")
    command.set_defaults(run=_demo)


def _add_prepare(commands: Any) -> None:
    command = commands.add_parser("prepare", help="videos and words -> a data set of TFRecords")
    command.add_argument("source", help="a folder of class folders, or a CSV or JSONL file with a path column")
    command.add_argument("--out", required=True, metavar="data/NAME", help="the data set to make")
    _add_settings(command, "prepare")
    _add_json(command)
    command.set_defaults(run=_prepare)


def _add_inspect(commands: Any) -> None:
    command = commands.add_parser("inspect", help="counts, words, balance, leaks and a contact sheet")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    _add_json(command)
    command.set_defaults(run=_inspect)


def _add_train(commands: Any) -> None:
    command = commands.add_parser("train", help="a data set -> a run folder: the model and all that was decided")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    command.add_argument("--out", required=True, metavar="runs/NAME", help="the run folder to make, or to go on with")
    command.add_argument("--backbone", help="resnet50 (default), efficientnet_lite0, mobilenet_v2, small_cnn, ...")
    command.add_argument("--weights", help="imagenet (default), none, or the path of a weights file")
    command.add_argument("--epochs", type=int, help="at most (default: 30)")
    command.add_argument("--seed", type=int, help="of weights, order and augmentation (default: 0)")
    command.add_argument("--fold", metavar="K/N", help="hold out fold K (from 1) of N, grouped by source")
    _add_settings(command, "model", "train")
    command.set_defaults(run=_train)


def _add_crossvalidate(commands: Any) -> None:
    command = commands.add_parser("crossvalidate", help="how well settings do on sources never trained on")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    command.add_argument("--out", required=True, metavar="runs/NAME", help="the folder to make, or to go on with")
    command.add_argument("--folds", type=int, default=5, help="grouped by source (default: %(default)s)")
    command.add_argument("--seeds", type=int, default=3, help="partitions and initial weights (default: %(default)s)")
    command.add_argument("--random-split", action="store_true", help="do not keep sources whole: flatters")
    command.add_argument("--workers", type=int, default=0, help="processes that train at once (default: one a core)")
    _add_settings(command, "model", "train")
    _add_json(command)
    command.set_defaults(run=_crossvalidate)


def _add_compare(commands: Any) -> None:
    command = commands.add_parser("compare", help="whether one cross-validation is better than another, by pairs")
    command.add_argument("one", metavar="runs/ONE", help="a folder of crossvalidate")
    command.add_argument("other", metavar="runs/OTHER", help="another, of the same clips")
    _add_json(command)
    command.set_defaults(run=_compare)


def _add_evaluate(commands: Any) -> None:
    command = commands.add_parser("evaluate", help="metrics on a split, and what is left without words or frames")
    command.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    command.add_argument("--data", metavar="data/NAME", help="default: the data set that the model was trained on")
    command.add_argument("--split", default="test", help="default: %(default)s")
    _add_json(command)
    command.set_defaults(run=_evaluate)


def _add_predict(commands: Any) -> None:
    command = commands.add_parser("predict", help="answers for videos")
    command.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    command.add_argument("files", nargs="+", metavar="FILE", help="videos, folders and globs")
    command.add_argument("--text", help="words for all of them (default: the sidecar file of each)")
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.set_defaults(run=_predict)


def _add_export(commands: Any) -> None:
    command = commands.add_parser("export", help="a run folder -> the forms in which a model runs elsewhere")
    command.add_argument("run_dir", metavar="runs/NAME", help="a run folder")
    command.add_argument("--out", required=True, metavar="saved_models/NAME", help="the folder of the model's versions")
    command.add_argument(
        "--format",
        choices=["saved_model", "tflite", "onnx", "all"],
        default="saved_model",
        help="default: %(default)s; all: onnx among them where its extra is installed",
    )
    _add_json(command)
    command.set_defaults(run=_export)


def _add_verify(commands: Any) -> None:
    command = commands.add_parser("verify", help="whether an exported model says what its run folder says")
    command.add_argument("model", metavar="MODEL", help="an exported model")
    command.add_argument("run_dir", metavar="runs/NAME", help="the run folder that it was made from")
    _add_json(command)
    command.set_defaults(run=_verify)


def _add_serving_client(commands: Any) -> None:
    command = commands.add_parser("serving-client", help="answers for videos from a model in TensorFlow Serving")
    command.add_argument("address", metavar="ADDRESS", help="HOST:PORT of the server: by default 8500, 8501 for REST")
    command.add_argument("model_name", metavar="MODEL_NAME", help="what the server calls the model")
    command.add_argument("files", nargs="+", metavar="FILE", help="videos, folders and globs")
    command.add_argument(
        "--settings", required=True, metavar="MODEL", help="the run folder or the exported model that is served"
    )
    command.add_argument("--text", help="words for all of them (default: the sidecar file of each)")
    command.add_argument("--rest", action="store_true", help="ask over REST, not gRPC")
    command.add_argument(
        "--deadline", type=float, default=30, metavar="SECONDS", help="a request (default: %(default)s)"
    )
    command.add_argument("--version", type=int, metavar="N", help="of the model (default: the newest that is served)")
    command.add_argument(
        "--batch-size", type=int, default=4, metavar="N", help="clips a request (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.set_defaults(run=_serving_client)


def _add_settings(command: argparse.ArgumentParser, *sections: str) -> None:
    example = ", ".join(f'"{section}": {{...}}' for section in sections)
    command.add_argument("--config", metavar="FILE", help=f"a JSON file of settings: {{{example}}}")
    command.add_argument(
        "--set", action="append", default=[], metavar=f"{sections[0]}.KEY=VALUE", help="one setting; may come often"
    )
    command.set_defaults(sections=sections)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object, for programs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit code: 0, 1 for a failure, 2 for bad input.
    """
    options = build_parser().parse_args(arguments)
    try:
        import_tensorflow()
        return options.run(options) or 0
    except VidmodelError as error:
        print(f"vidmodel {options.command}: {error}", file=sys.stderr)
        for detail in error.details:
            print(f"  {detail}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"vidmodel {options.command}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, `head` perhaps, has seen enough
        sys.stdout = None
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"vidmodel {options.command}: {where}{error.strerror or error}", file=sys.stderr)
        return 2 if isinstance(error, _WRONG_PATHS) else 1


def _demo(options: argparse.Namespace) -> None:
    from vidmodel_tf.demo import run_demo

    run_demo(options.dir)


def _prepare(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.config import PrepareConfig
    from vidmodel_tf.records.prepare import prepare

    report = prepare(options.source, options.out, _settings(options, prepare=PrepareConfig)["prepare"])
    _show(report, tables.print_prepare_report, options)


def _inspect(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.records.inspect import inspect

    _show(inspect(options.data), tables.print_inspection, options)


def _train(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.config import ModelConfig, TrainConfig
    from vidmodel_tf.training.train import train

    everyday = {
        "model": {"backbone": options.backbone, "weights": options.weights},
        "train": {"epochs": options.epochs, "seed": options.seed},
    }
    settings = _settings(options, everyday, model=ModelConfig, train=TrainConfig)
    was_finished = (Path(options.out) / "model.keras").exists()
    run = train(options.data, options.out, settings["model"], settings["train"], fold=_parse_fold(options.fold))
    tables.print_training(run, was_finished)


def _crossvalidate(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.config import ModelConfig, TrainConfig
    from vidmodel_tf.evaluation.crossvalidate import crossvalidate

    settings = _settings(options, model=ModelConfig, train=TrainConfig)
    result = crossvalidate(
        options.data,
        options.out,
        settings["model"],
        settings["train"],
        num_folds=options.folds,
        num_seeds=options.seeds,
        random_split=options.random_split,
        num_workers=options.workers,
    )
    _show(result, tables.print_crossvalidation, options)


def _compare(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.evaluation.compare import compare

    _show(compare(options.one, options.other), tables.print_comparison, options)


def _evaluate(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.evaluation.evaluate import evaluate

    _show(evaluate(options.model, data=options.data, split=options.split), tables.print_evaluation, options)


def _predict(options: argparse.Namespace) -> int:
    from vidmodel_tf.prediction.predict import predict

    return _show_answers(predict(options.model, options.files, text=options.text), options)


def _serving_client(options: argparse.Namespace) -> int:
    from vidmodel_tf.serving.client import open_client, predict_by_server
    from vidmodel_tf.serving.endpoint import Endpoint

    endpoint = Endpoint(options.address, options.model_name, version=options.version, deadline_seconds=options.deadline)
    with contextlib.closing(open_client(endpoint, rest=options.rest)) as client:
        answers = predict_by_server(
            client, options.files, options.settings, text=options.text, batch_size=options.batch_size
        )
        return _show_answers(answers, options)


def _show_answers(answers: Iterable[dict[str, Any]], options: argparse.Namespace) -> int:
    from vidmodel_tf import tables
    from vidmodel_tf.progress import track

    any_answered = False
    if options.json:
        for answer in answers:
            any_answered |= "heads" in answer
            print(json.dumps(answer, ensure_ascii=False), flush=True)
    else:
        rows = list(track(answers, "predicting", total=None))
        any_answered = any("heads" in row for row in rows)
        tables.print_predictions(rows)
    return 0 if any_answered else 2


def _export(options: argparse.Namespace) -> None:
    from vidmodel_tf import tables
    from vidmodel_tf.export.onnx import export_onnx
    from vidmodel_tf.export.saved_model import export_saved_model
    from vidmodel_tf.export.tflite import export_tflite

    exporters = {"saved_model": export_saved_model, "tflite": export_tflite, "onnx": export_onnx}
    chosen = list(exporters) if options.format == "all" else [options.format]
    if options.format == "all" and importlib.util.find_spec("tf2onnx") is None:
        chosen.remove("onnx")
    result = {name: str(exporters[name](options.run_dir, options.out)) for name in chosen}
    _show(result, lambda exported: tables.print_export(exported, options.run_dir), options)


def _verify(options: argparse.Namespace) -> int:
    from vidmodel_tf import tables
    from vidmodel_tf.prediction.verify import verify

    result = verify(options.model, options.run_dir)
    _show(result, tables.print_verification, options)
    return 0 if result["passed"] else 1


def _show(result: dict[str, Any], print_table: Any, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print_table(result)


def _settings(options: argparse.Namespace, everyday: dict[str, dict[str, Any]] | None = None, **kinds: Any):
    """Defaults, then the config file, then everyday flags, then --set."""
    from vidmodel_tf.config import from_mapping, parse_override, read_settings

    values = {section: {} for section in options.sections}
    if options.config:
        values |= read_settings(options.config, options.sections)
    for section, flags in (everyday or {}).items():
        values[section] |= {key: value for key, value in flags.items() if value is not None}
    for text in options.set:
        section, key, value = parse_override(text, options.sections)
        values[section][key] = value
    return {section: from_mapping(kind, values[section], section) for section, kind in kinds.items()}


def _parse_fold(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        k, n = (int(part) for part in text.split("/"))
    except ValueError:
        raise InputError(f"--fold: expected K/N, such as 1/5. Received: {text!r}") from None
    return k, n
