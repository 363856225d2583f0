"""What each TensorFlow Lite file is worth: its ops, size, speed, and how far its answers are from Keras's."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.export.agreement import report_agreement
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run

_NUM_TIMED = 15

_OP_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def report_on(folder: Path, run: Run, data: DataSet) -> dict[str, Any]:
    """Measures all files of a folder, side by side.

    Returns:
        `{"split", "num_clips", "keras": {HEAD: accuracy}, "files": {NAME: {"bytes", "ops": {OP: count},
        "milliseconds": {"1": median, "2": median}}}, "models": {NAME: {HEAD: {"max_difference", "label_agreement",
        "accuracy"}}}}`: milliseconds a call with one thread and with two; the models are the whole files and the
        pairs (`frame_features_...+classify_features`), measured on the test clips (validation or training clips where
        there are none), at most 200.
    """
    files = {path.stem: _describe(path) for path in sorted(folder.glob("*.tflite"))}
    models: dict[str, Form] = {}
    for name in files:
        if name != "classify_features":
            pair = "+classify_features" if name.startswith("frame_features_") else ""
            models[name + pair] = open_model(folder / f"{name}.tflite")
    agreement = report_agreement({"keras": KerasForm(run), **models}, run, data)
    return {
        **{name: agreement[name] for name in ("split", "num_clips", "keras")},
        "files": files,
        "models": agreement["models"],
    }


def _describe(path: Path) -> dict[str, Any]:
    return {
        "bytes": path.stat().st_size,
        "ops": count_ops(path),
        "milliseconds": {str(threads): _median_milliseconds(path, threads) for threads in (1, 2)},
    }


def count_ops(path: Path) -> dict[str, int]:
    """The operators of a file by name; one that is not built in has its own name."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    counts: Counter[str] = Counter()
    for graph in model.subgraphs:
        for operator in graph.operators or ():
            code = model.operatorCodes[operator.opcodeIndex]
            builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
            counts[code.customCode.decode() if code.customCode else _OP_NAMES[builtin]] += 1
    return dict(counts.most_common())


def _median_milliseconds(path: Path, num_threads: int) -> float:
    run = Interpreter(str(path), num_threads=num_threads).get_signature_runner()
    rng = np.random.default_rng(0)
    inputs = {}
    for name, detail in run.get_input_details().items():
        shape = tuple(detail["shape"])
        is_pixels = detail["dtype"] == np.uint8
        inputs[name] = rng.integers(0, 256, shape).astype(np.uint8) if is_pixels else np.zeros(shape, detail["dtype"])
    run(**inputs)
    times = []
    for _ in range(_NUM_TIMED):
        start = time.perf_counter()
        run(**inputs)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
