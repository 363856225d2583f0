"""The forms in which a trained model exists, behind one question: these frames and these words, what scores?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.keras_form import RunModel, Scores
from vidmodel_tf.forms.lite import LiteModel
from vidmodel_tf.forms.onnx import OnnxModel
from vidmodel_tf.forms.saved_model import SavedModelForm
from vidmodel_tf.run_folder.layout import latest_version
from vidmodel_tf.run_folder.run import Run, load_run


class ModelForm(Protocol):
    """A trained model in whatever form.

    Attributes:
        run: What the run folder says, all but the weights; its `path` is where that was read.
        tolerance: How far its scores may be from those of the Keras model.
    """

    run: Run
    tolerance: float

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """Scores for the same frames beside each of several texts: the frames are looked at once.

        Args:
            frames_BxTxHxWxC: uint8 RGB.
            texts: Joined strings (`text.fields.join_fields`), B each; "": no words.
        """


def open_model(path: str | Path) -> ModelForm:
    """Opens a trained model for prediction.

    Args:
        path: A run folder, a SavedModel (a version, or the folder of its versions) or a `.tflite` or `.onnx` file.

    Raises:
        InputError: There is no model at `path`.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"there is no model at {path}: expected a run folder or an exported model")
    if path.suffix == ".onnx":
        return OnnxModel(path)
    if path.suffix == ".tflite":
        return LiteModel(path)
    version = latest_version(path)
    lite_files = sorted(path.glob("*.tflite")) or sorted(path.glob("tflite/*.tflite"))
    if version is None and lite_files:
        raise InputError(
            f"{path} holds several models: expected one of them, such as {lite_files[0].parent}/float16.tflite"
        )
    if version is not None:
        return SavedModelForm(version)
    return RunModel(load_run(path))
