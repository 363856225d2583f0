"""The size, ops and speed of OpenVINO models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.export.report import FileReport
from vidmodel_tf.export.time_forms import time_forms
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.openvino_form import OpenVinoForm


def measure_files(paths: Mapping[str, Path], reference: Form) -> tuple[dict[str, FileReport], float]:
    """Measures models, by turns with each other and with Keras.

    Args:
        paths: The `.xml` files, by name.
        reference: The Keras model.

    Returns:
        The reports by name, the bytes with those of the weights beside; and the milliseconds that Keras takes for a
        clip.
    """
    models = {(name, threads): OpenVinoForm(path, threads) for name, path in paths.items() for threads in (1, 2)}
    milliseconds, keras_milliseconds = time_forms(models, reference)
    reports = {}
    for name, path in paths.items():
        num_bytes = sum(file.stat().st_size for file in (path, path.with_suffix(".bin")))
        times = {threads: milliseconds[name, threads] for threads in (1, 2)}
        reports[name] = FileReport(num_bytes, count_ops(path), times)
    return reports, keras_milliseconds


def count_ops(path: Path) -> dict[str, int]:
    """The operators of a model by name."""
    openvino = import_extra("openvino", extra="openvino", needed_for="OpenVINO files")
    names = Counter(op.get_type_name() for op in openvino.Core().read_model(path).get_ops())
    return {name: count for name, count in names.most_common() if name not in ("Constant", "Parameter", "Result")}
