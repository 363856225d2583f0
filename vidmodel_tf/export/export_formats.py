"""A run folder -> several forms of its model at once: the model is built, and its data set opened, a single time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from types import MappingProxyType

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.lite.export import write_tflite
from vidmodel_tf.export.onnx.convert import NotConvertibleError
from vidmodel_tf.export.onnx.export import write_onnx
from vidmodel_tf.export.openvino.export import write_openvino
from vidmodel_tf.export.saved_model.export import write_saved_model
from vidmodel_tf.export.trained import TrainedRun, open_trained
from vidmodel_tf.run_folder.run import load_run

_MEASURED = MappingProxyType({"tflite": write_tflite, "onnx": write_onnx, "openvino": write_openvino})
# The SavedModel last: where another format fails, no server sees a new version.
_WRITERS: MappingProxyType[str, Callable[[TrainedRun, Path], Exported]] = MappingProxyType(
    {**_MEASURED, "saved_model": write_saved_model}
)

FORMATS = tuple(_WRITERS)


def export_formats(
    run_dir: str | Path,
    out: str | Path,
    formats: Collection[str],
    *,
    data: str | Path | None = None,
    leave_out: Callable[[str, NotConvertibleError], None] | None = None,
) -> dict[str, Exported]:
    """Writes the model of a run in the formats asked for.

    Args:
        run_dir: A run folder.
        out: The folder of the exported model, `saved_models/NAME`.
        formats: Some of "tflite", "onnx", "openvino" and "saved_model"; see `export_tflite`, `export_onnx`,
            `export_openvino`, `export_saved_model`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained. A SavedModel
            needs none.
        leave_out: Told of a format that cannot hold this model, and why; the others are written all the same. By
            default that is an error.

    Returns:
        What was written, by format, in the order in which it was.

    Raises:
        InputError: What `export_tflite`, `export_onnx`, `export_openvino` and `export_saved_model` refuse.
        NotConvertibleError: A format cannot hold this model, and there is no `leave_out`.
    """
    needs_data = any(name in formats for name in _MEASURED)
    trained = open_trained(run_dir, data) if needs_data else TrainedRun(load_run(run_dir))
    exported = {}
    for name in (name for name in _WRITERS if name in formats):
        try:
            exported[name] = _WRITERS[name](trained, Path(out))
        except NotConvertibleError as error:
            if leave_out is None:
                raise
            leave_out(name, error)
    return exported
