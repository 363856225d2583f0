"""The size, ops and speed of an ONNX file."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.report import FileReport, median_milliseconds
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.onnx_form import OnnxForm

if TYPE_CHECKING:
    from onnx import GraphProto


def measure_file(path: Path, reference: Form) -> tuple[FileReport, float]:
    """Measures a file, by turns with Keras.

    Args:
        path: The file.
        reference: The Keras model.

    Returns:
        The report, and the milliseconds that Keras takes for a clip.
    """
    models = {"keras": reference, 1: OnnxForm(path, num_threads=1), 2: OnnxForm(path, num_threads=2)}
    frames = _random_frames(reference.run.config.model)
    calls = {name: functools.partial(model.scores, frames, ["words"]) for name, model in models.items()}
    milliseconds = median_milliseconds(calls)
    keras_milliseconds = milliseconds.pop("keras")
    return FileReport(path.stat().st_size, count_ops(path), milliseconds), keras_milliseconds


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


def _random_frames(config: ModelConfig) -> np.ndarray:
    shape = (1, config.num_frames, config.height, config.width, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
