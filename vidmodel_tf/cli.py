"""The command line: which commands and arguments there are, and one line for what went wrong.

No TensorFlow before a command runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from vidmodel_tf import commands
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.quiet import import_tensorflow
from vidmodel_tf.version import __version__

_WRONG_PATHS = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    parser = _Parser(prog="vidmodel", description="Train your own classifier of videos with words, and use it.")
    parser.add_argument("--version", action="version", version=f"vidmodel {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(subparsers)
    _add_prepare(subparsers)
    _add_inspect(subparsers)
    _add_train(subparsers)
    _add_crossvalidate(subparsers)
    _add_compare(subparsers)
    _add_evaluate(subparsers)
    _add_predict(subparsers)
    _add_export(subparsers)
    _add_verify(subparsers)
    _add_serving_client(subparsers)
    return parser


def _add_demo(subparsers: Any) -> None:
    command = subparsers.add_parser("demo", help="draw clips, train on them, and show what the answers rest on")
    command.add_argument("--dir", default="data/demo", help="where clips, data set and run go (default: %(default)s)")
    command.set_defaults(run=commands.demo)


def _add_prepare(subparsers: Any) -> None:
    command = subparsers.add_parser("prepare", help="videos and words -> a data set of TFRecords")
    command.add_argument("source", help="a folder of class folders, or a CSV or JSONL file with a path column")
    command.add_argument("--out", required=True, metavar="data/NAME", help="the data set to make")
    _add_settings(command, "prepare")
    _add_json(command)
    command.set_defaults(run=commands.prepare)


def _add_inspect(subparsers: Any) -> None:
    command = subparsers.add_parser("inspect", help="counts, words, balance, leaks and a contact sheet")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    _add_json(command)
    command.set_defaults(run=commands.inspect)


def _add_train(subparsers: Any) -> None:
    command = subparsers.add_parser("train", help="a data set -> a run folder: the model and all that was decided")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    command.add_argument("--out", required=True, metavar="runs/NAME", help="the run folder to make, or to go on with")
    command.add_argument("--backbone", help="resnet50 (default), efficientnet_lite0, mobilenet_v2, small_cnn, ...")
    command.add_argument("--weights", help="imagenet (default), none, or the path of a weights file")
    command.add_argument("--epochs", type=int, help="at most (default: 30)")
    command.add_argument("--seed", type=int, help="of weights, order and augmentation (default: 0)")
    command.add_argument("--fold", metavar="K/N", help="hold out fold K (from 1) of N, grouped by source")
    _add_settings(command, "model", "train")
    command.set_defaults(run=commands.train)


def _add_crossvalidate(subparsers: Any) -> None:
    command = subparsers.add_parser("crossvalidate", help="how well settings do on sources never trained on")
    command.add_argument("data", metavar="data/NAME", help="a prepared data set")
    command.add_argument("--out", required=True, metavar="runs/NAME", help="the folder to make, or to go on with")
    command.add_argument("--folds", type=int, default=5, help="grouped by source (default: %(default)s)")
    command.add_argument("--seeds", type=int, default=3, help="partitions and initial weights (default: %(default)s)")
    command.add_argument("--random-split", action="store_true", help="do not keep sources whole: flatters")
    command.add_argument("--workers", type=int, default=0, help="processes that train at once (default: one a core)")
    _add_settings(command, "model", "train")
    _add_json(command)
    command.set_defaults(run=commands.crossvalidate)


def _add_compare(subparsers: Any) -> None:
    command = subparsers.add_parser("compare", help="whether one cross-validation is better than another, by pairs")
    command.add_argument("one", metavar="runs/ONE", help="a folder of crossvalidate")
    command.add_argument("other", metavar="runs/OTHER", help="another, of the same clips")
    _add_json(command)
    command.set_defaults(run=commands.compare)


def _add_evaluate(subparsers: Any) -> None:
    command = subparsers.add_parser("evaluate", help="metrics on a split, and what is left without words or frames")
    command.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    command.add_argument("--data", metavar="data/NAME", help="default: the data set that the model was trained on")
    command.add_argument("--split", default="test", help="default: %(default)s")
    _add_json(command)
    command.set_defaults(run=commands.evaluate)


def _add_predict(subparsers: Any) -> None:
    command = subparsers.add_parser("predict", help="answers for videos")
    command.add_argument("model", metavar="MODEL", help="a run folder, or an exported model")
    command.add_argument("files", nargs="+", metavar="FILE", help="videos, folders and globs")
    command.add_argument("--text", help="words for all of them (default: the sidecar file of each)")
    command.add_argument("--json", action="store_true", help="one JSON object a line")
    command.set_defaults(run=commands.predict)


def _add_export(subparsers: Any) -> None:
    command = subparsers.add_parser("export", help="a run folder -> the forms in which a model runs elsewhere")
    command.add_argument("run_dir", metavar="runs/NAME", help="a run folder")
    command.add_argument("--out", required=True, metavar="saved_models/NAME", help="the folder of the model's versions")
    command.add_argument(
        "--format",
        choices=["saved_model", "tflite", "onnx", "all"],
        default="saved_model",
        help="default: %(default)s; all: onnx among them where its extra is installed",
    )
    command.add_argument("--data", metavar="data/NAME", help="where the run's data set lies now, if it was moved")
    _add_json(command)
    command.set_defaults(run=commands.export)


def _add_verify(subparsers: Any) -> None:
    command = subparsers.add_parser("verify", help="whether an exported model says what its run folder says")
    command.add_argument("model", metavar="MODEL", help="an exported model")
    command.add_argument("run_dir", metavar="runs/NAME", help="the run folder that it was made from")
    _add_json(command)
    command.set_defaults(run=commands.verify)


def _add_serving_client(subparsers: Any) -> None:
    command = subparsers.add_parser("serving-client", help="answers for videos from a model in TensorFlow Serving")
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
    command.set_defaults(run=commands.serving_client)


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
