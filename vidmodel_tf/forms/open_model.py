"""Opens a trained model in whatever form it is kept."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.forms.lite_form import LiteForm
from vidmodel_tf.forms.lite_pair import CLASSIFIER, ENCODER_PREFIX, LitePair
from vidmodel_tf.forms.onnx_form import OnnxForm
from vidmodel_tf.forms.openvino_form import OpenVinoForm
from vidmodel_tf.forms.saved_model_form import SavedModelForm
from vidmodel_tf.run_folder.layout import (
    ONNX,
    ONNX_MODEL,
    OPENVINO,
    OPENVINO_MODEL,
    check_model_path,
    latest_version,
)
from vidmodel_tf.run_folder.run import load_run


def open_model(model: str | Path | Form) -> Form:
    """Opens a trained model for prediction.

    Args:
        model: A run folder, a SavedModel (a version, or the folder of its versions), a `.tflite` or `.onnx` file, or
            the `.xml` file of OpenVINO. For the streaming pair `frame_features_PRECISION.tflite`; its other half is
            found beside it. A model that is already open is handed back.

    Raises:
        InputError: There is no model at this path.
    """
    if not isinstance(model, str | Path):
        return model
    path = Path(model)
    check_model_path(path)
    if path.suffix == ".onnx":
        return OnnxForm(path)
    if path.suffix == ".xml":
        return OpenVinoForm(path)
    if path.suffix == ".tflite":
        return _open_lite(path)
    version = latest_version(path)
    lite_files = sorted(path.glob("*.tflite")) or sorted(path.glob("tflite/*.tflite"))
    if version is None and lite_files:
        raise InputError(
            f"{path} holds several models: expected one of them, such as {lite_files[0].parent}/float16.tflite"
        )
    if version is not None:
        return SavedModelForm(version)
    for file in (path / ONNX / ONNX_MODEL, path / OPENVINO / OPENVINO_MODEL):
        if file.is_file():
            raise InputError(f"{path} holds no SavedModel: expected the file {file}")
    return KerasForm(load_run(path))


def _open_lite(path: Path) -> Form:
    if path.name.startswith(ENCODER_PREFIX):
        return LitePair(path)
    if path.name == CLASSIFIER:
        raise InputError(
            f"{path} is the second half of the streaming pair: expected the first half, such as "
            f"{path.with_name(f'{ENCODER_PREFIX}int8.tflite')}; the second is found beside it"
        )
    return LiteForm(path)
