"""The size, ops and speed of an ONNX file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.export.report import FileReport
from vidmodel_tf.export.time_forms import time_forms
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
    models = {threads: OnnxForm(path, threads) for threads in (1, 2)}
    milliseconds, keras_milliseconds = time_forms(models, reference)
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
