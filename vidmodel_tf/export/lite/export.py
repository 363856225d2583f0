"""A run folder -> TensorFlow Lite files, what they need beside them, and a report on them."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.lite.calibration import Calibration, choose_calibration
from vidmodel_tf.export.lite.files import file_makers
from vidmodel_tf.export.lite.measure import measure_file
from vidmodel_tf.export.measured_folder import write_measured_folder
from vidmodel_tf.export.report import FormReport, report_on
from vidmodel_tf.export.trained import TrainedRun, open_trained
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.progress import track
from vidmodel_tf.run_folder import layout


def export_tflite(run_dir: str | Path, out: str | Path, *, data: str | Path | None = None) -> Path:
    """Writes `OUT/tflite/`: the files, what they need beside them, and `report.json` on all of them.

    `float32.tflite`, `float16.tflite`, `dynamic.tflite` and `int8.tflite` take `frames` uint8 [1, T, H, W, 3] and
    `token_ids` int32 [1, L]. The single int8 file is left out where an LSTM or GRU has more than 64 steps: calibration
    needs them without loops, and the file would be long and slow. The pair has the int8 encoder then too.
    `frame_features_float32.tflite` and `frame_features_int8.tflite` take `frame` and `previous_frame` uint8
    [1, H, W, 3] (the frame itself for the first) and give `features` [1, D]; `classify_features.tflite` takes
    `features` [1, T, D] and `token_ids`.

    int8 learns from training clips how large numbers get, and the report measures on test clips. Where the data set of
    the run is gone, int8 learns from the examples in the run folder, and what is measured on test clips is left out;
    where there are no examples either, there are no int8 files. The report's `notes` say which.

    Args:
        run_dir: A run folder.
        out: The folder of the exported model, `saved_models/NAME`.
        data: Where the data set of the run lies now; by default where it lay when the run was trained.

    Returns:
        The folder `OUT/tflite`; an earlier one is replaced as a whole.

    Raises:
        InputError: There is no finished run, the data set was prepared anew or is not the run's, or `out` is no place
            for the files.
    """
    return write_tflite(open_trained(run_dir, data), out).path


def write_tflite(trained: TrainedRun, out: str | Path) -> Exported:
    """Writes what `export_tflite` does, of a run that is open already."""
    calibration = choose_calibration(trained.run, trained.data)

    def write(folder: Path) -> None:
        makers = file_makers(trained.parts, calibration)
        for name, make in track(makers.items(), "converting", len(makers)):
            (folder / f"{name}.tflite").write_bytes(make())

    def measure(folder: Path) -> FormReport:
        return _report_on_folder(folder, trained, calibration)

    return write_measured_folder(trained, Path(out) / layout.TFLITE, "float16.tflite", write, measure)


def _report_on_folder(folder: Path, trained: TrainedRun, calibration: Calibration) -> FormReport:
    files = {path.stem: measure_file(path) for path in sorted(folder.glob("*.tflite"))}
    models: dict[str, Form] = {}
    for name in files:
        if name != "classify_features":
            pair = "+classify_features" if name.startswith("frame_features_") else ""
            models[name + pair] = open_model(folder / f"{name}.tflite")
    return report_on(trained, files, models, notes=calibration.notes)
