"""What each command does: gather the settings, call the library, show the result."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidmodel_tf.errors import InputError

if TYPE_CHECKING:
    from vidmodel_tf.clips.question import Refusal
    from vidmodel_tf.decision import Answer


def demo(options: argparse.Namespace) -> None:
    """`vidmodel demo`."""
    from vidmodel_tf.demo.demo import run_demo

    run_demo(options.dir)


def prepare(options: argparse.Namespace) -> None:
    """`vidmodel prepare`."""
    from vidmodel_tf import tables
    from vidmodel_tf.config import PrepareConfig
    from vidmodel_tf.records.prepare import prepare

    report = prepare(options.source, options.out, _settings(options, prepare=PrepareConfig)["prepare"])
    _show(report, tables.print_prepare_report, options)


def inspect(options: argparse.Namespace) -> None:
    """`vidmodel inspect`."""
    from vidmodel_tf import tables
    from vidmodel_tf.records.inspect import inspect

    _show(inspect(options.data), tables.print_inspection, options)


def train(options: argparse.Namespace) -> None:
    """`vidmodel train`."""
    from vidmodel_tf import tables
    from vidmodel_tf.config import ModelConfig, TrainConfig
    from vidmodel_tf.run_folder.layout import is_finished
    from vidmodel_tf.training.train import train

    everyday = {
        "model": {"backbone": options.backbone, "weights": options.weights},
        "train": {"epochs": options.epochs, "seed": options.seed},
    }
    settings = _settings(options, everyday, model=ModelConfig, train=TrainConfig)
    was_finished = is_finished(Path(options.out))
    run = train(options.data, options.out, settings["model"], settings["train"], fold=_parse_fold(options.fold))
    tables.print_training(run, was_finished)


def crossvalidate(options: argparse.Namespace) -> None:
    """`vidmodel crossvalidate`."""
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


def compare(options: argparse.Namespace) -> None:
    """`vidmodel compare`."""
    from vidmodel_tf import tables
    from vidmodel_tf.evaluation.compare import compare

    _show(compare(options.one, options.other), tables.print_comparison, options)


def evaluate(options: argparse.Namespace) -> None:
    """`vidmodel evaluate`."""
    from vidmodel_tf import tables
    from vidmodel_tf.evaluation.evaluate import evaluate

    _show(evaluate(options.model, data=options.data, split=options.split), tables.print_evaluation, options)


def predict(options: argparse.Namespace) -> int:
    """`vidmodel predict`."""
    from vidmodel_tf.scoring.clips import predict

    return _show_answers(predict(options.model, options.files, text=options.text), options)


def serving_client(options: argparse.Namespace) -> int:
    """`vidmodel serving-client`."""
    from vidmodel_tf.serving.endpoint import Endpoint
    from vidmodel_tf.serving.predict import open_client, predict_by_server

    endpoint = Endpoint(options.address, options.model_name, version=options.version, deadline_seconds=options.deadline)
    with contextlib.closing(open_client(endpoint, rest=options.rest)) as client:
        answers = predict_by_server(
            client, options.files, options.settings, text=options.text, batch_size=options.batch_size
        )
        return _show_answers(answers, options)


def _show_answers(answers: Iterable[Answer | Refusal], options: argparse.Namespace) -> int:
    from vidmodel_tf import tables
    from vidmodel_tf.decision import Answer
    from vidmodel_tf.progress import track

    any_answered = False
    if options.json:
        for answer in answers:
            any_answered |= isinstance(answer, Answer)
            print(json.dumps(answer.to_json(), ensure_ascii=False), flush=True)
    else:
        rows = list(track(answers, "predicting", total=None))
        any_answered = any(isinstance(row, Answer) for row in rows)
        tables.print_predictions(rows)
    return 0 if any_answered else 2


def export(options: argparse.Namespace) -> None:
    """`vidmodel export`."""
    from vidmodel_tf import tables
    from vidmodel_tf.export.lite.export import export_tflite
    from vidmodel_tf.export.onnx.export import export_onnx
    from vidmodel_tf.export.saved_model.export import export_saved_model

    if options.data is not None and options.format == "saved_model":
        raise InputError("--data: a SavedModel needs no data set; expected it with --format tflite, onnx or all")
    exporters = {
        "tflite": functools.partial(export_tflite, data=options.data),
        "onnx": functools.partial(export_onnx, data=options.data),
        "saved_model": export_saved_model,  # last: where another fails, no server sees a new version
    }
    chosen = list(exporters) if options.format == "all" else [options.format]
    if options.format == "all" and importlib.util.find_spec("tf2onnx") is None:
        chosen.remove("onnx")
    result = {name: str(exporters[name](options.run_dir, options.out)) for name in chosen}
    _show(result, lambda exported: tables.print_export(exported, options.run_dir), options)


def verify(options: argparse.Namespace) -> int:
    """`vidmodel verify`."""
    from vidmodel_tf import tables
    from vidmodel_tf.forms.verify import verify

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
    from vidmodel_tf.config import from_mapping, parse_override
    from vidmodel_tf.run_folder.settings_file import read_settings_file

    values = {section: {} for section in options.sections}
    if options.config:
        values |= read_settings_file(options.config, options.sections)
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
