"""A run folder -> an ONNX file for servers without TensorFlow, what it needs beside it, and a report on it."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.measured_folder import write_measured_folder
from vidmodel_tf.export.onnx.measure import measure_file
from vidmodel_tf.export.report import FormReport, report_on
from vidmodel_tf.export.trained import TrainedRun, open_trained
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.run_folder import layout


def export_onnx(run_dir: str | Path, out: str | Path, *, data: str | Path | None = None) -> Path:
    """Writes `OUT/onnx/`: `model.onnx`, the settings that it needs beside it, and `report.json` on it.

    The file takes `frames` uint8 [B, T, H, W, 3] and `token_ids` int32 [B, L] and gives scores float32 [B, K] by head,
    for any B.

    The report measures on test clips. Where the data set of the run is gone, that is left out, and the report's `notes`
    say so.

    Args:
        run_dir: A run folder.
        out: The folder of the exported model, `saved_models/NAME`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained.

    Returns:
        The folder `OUT/onnx`; an earlier one is replaced as a whole.

    Raises:
        InputError: There is no finished run, the extra `onnx` is not installed, the data set was prepared anew or is
            not the run's, or `out` is no place for it.
    """
    return write_onnx(open_trained(run_dir, data), out).path


def write_onnx(trained: TrainedRun, out: str | Path) -> Exported:
    """Writes what `export_onnx` does, of a run that is open already."""
    for name in ("onnxruntime", "tf2onnx"):
        # Before the long work, so that a missing package costs no time.
        import_extra(name, extra="onnx", needed_for="ONNX files")

    def write(folder: Path) -> None:
        (folder / layout.ONNX_MODEL).write_bytes(trained.onnx_graph.SerializeToString(deterministic=True))

    def measure(folder: Path) -> FormReport:
        path = folder / layout.ONNX_MODEL
        file, keras_milliseconds = measure_file(path, trained.reference)
        return report_on(trained, {"model": file}, {"model": open_model(path)}, keras_milliseconds=keras_milliseconds)

    return write_measured_folder(trained, Path(out) / layout.ONNX, layout.ONNX_MODEL, write, measure)
