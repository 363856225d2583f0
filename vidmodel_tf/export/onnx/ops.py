"""What an ONNX file is worth: its ops, size, speed, and how far its answers are from Keras's."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidmodel_tf.export.agreement import report_agreement
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.onnx_form import OnnxForm
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder.run import Run

if TYPE_CHECKING:
    from onnx import GraphProto

_NUM_TIMED = 15


def report_on(path: Path, run: Run, data: DataSet | None) -> dict[str, Any]:
    """Measures a file, side by side with Keras.

    Returns:
        `{"split", "num_clips", "keras": {HEAD: accuracy}, "keras_milliseconds", "files": {"model": {"bytes", "ops":
        {OP: count}, "milliseconds": {"1": median, "2": median}}}, "models": {"model": {HEAD: {"max_difference",
        "label_agreement", "accuracy"}}}}`: milliseconds a clip with one thread and with two, and those of Keras with
        the threads that TensorFlow has. `split`, `keras` and `models` are null, and `num_clips` 0, where the data set
        of the run is gone (None).
    """
    keras, two_threads = KerasForm(run), OnnxForm(path, num_threads=2)
    times = _median_milliseconds({"keras": keras, "1": OnnxForm(path, num_threads=1), "2": two_threads}, run)
    agreement: dict[str, Any] = {"split": None, "num_clips": 0, "keras": None, "models": None}
    if data is not None:
        agreement = report_agreement({"keras": keras, "model": two_threads}, run, data)
    return {
        **{name: agreement[name] for name in ("split", "num_clips", "keras")},
        "keras_milliseconds": times.pop("keras"),
        "files": {"model": {"bytes": path.stat().st_size, "ops": count_ops(path), "milliseconds": times}},
        "models": agreement["models"],
    }


def count_ops(path: Path) -> dict[str, int]:
    """The operators of a file by name, those inside loops and branches too."""
    return dict(_count(import_extra("onnx", extra="onnx", needed_for="ONNX files").load(path).graph).most_common())


def _count(graph: GraphProto) -> Counter[str]:
    counts = Counter(node.op_type for node in graph.node)
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                counts += _count(inner)
    return counts


def _median_milliseconds(models: Mapping[str, Form], run: Run) -> dict[str, float]:
    """Of one clip, by turns, so that whatever else the machine does falls on all of them."""
    config = run.config.model
    shape = (1, config.num_frames, config.height, config.width, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    times: dict[str, list[float]] = {name: [] for name in models}
    for number in range(1 + _NUM_TIMED):
        for name, model in models.items():
            start = time.perf_counter()
            model.scores(frames, ["words"])
            if number:  # the first call builds what the others use
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}
