"""A run folder -> OpenVINO models for servers without TensorFlow, what they need beside them, and a report on them."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.measured_folder import write_measured_folder
from vidmodel_tf.export.openvino.convert import HINTS, write_models
from vidmodel_tf.export.openvino.measure import measure_files
from vidmodel_tf.export.report import FormReport, report_on
from vidmodel_tf.export.trained import TrainedRun, open_trained
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.openvino_form import OpenVinoForm
from vidmodel_tf.run_folder import layout


def export_openvino(run_dir: str | Path, out: str | Path, *, data: str | Path | None = None) -> Path:
    """Writes `OUT/openvino/`: two models, the settings that they need beside them, and `report.json` on both.

    `float32.xml` is computed in float32, `bfloat16.xml` in bfloat16 where the processor has it, which is faster there;
    its weights take half the bytes. They are opened by `open_model` and lie in a `.bin` file each. Both take `frames`
    uint8 [B, T, H, W, 3] and `token_ids` int32 [B, L] and give scores float32 [B, K] by head, for any B.

    The report measures on test clips. Where the data set of the run is gone, that is left out, and the report's `notes`
    say so.

    Args:
        run_dir: A run folder.
        out: The folder of the exported model, `saved_models/NAME`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained.

    Returns:
        The folder `OUT/openvino`; an earlier one is replaced as a whole.

    Raises:
        InputError: There is no finished run, the extra `openvino` is not installed, the data set was prepared anew or
            is not the run's, or `out` is no place for it.
    """
    return write_openvino(open_trained(run_dir, data), out).path


def write_openvino(trained: TrainedRun, out: str | Path) -> Exported:
    """Writes what `export_openvino` does, of a run that is open already."""
    for name in ("openvino", "tf2onnx", "onnx"):
        # Before the long work, and with the name of this extra.
        import_extra(name, extra="openvino", needed_for="OpenVINO files")

    def write(folder: Path) -> None:
        write_models(trained.onnx_graph, folder)

    def measure(folder: Path) -> FormReport:
        paths = {name: folder / f"{name}.xml" for name in HINTS}
        files, keras_milliseconds = measure_files(paths, trained.reference)
        models = {name: OpenVinoForm(path) for name, path in paths.items()}
        notes = [] if models["bfloat16"].in_bfloat16 else [_WITHOUT_BFLOAT16]
        return report_on(trained, files, models, keras_milliseconds=keras_milliseconds, notes=notes)

    return write_measured_folder(trained, Path(out) / layout.OPENVINO, layout.OPENVINO_MODEL, write, measure)


_WITHOUT_BFLOAT16 = "bfloat16 was measured on a processor without bfloat16, where it is computed in float32"
