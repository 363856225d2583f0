"""An ONNX file, run by ONNX Runtime as a server without TensorFlow runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.run_folder.layout import is_run_folder
from vidmodel_tf.run_folder.run import read_settings_of_run


class OnnxModel:
    """A `.onnx` file, opened.

    Args:
        path: The file, with the settings that `vidmodel export` puts beside it.
        num_threads: That ONNX Runtime may use.

    Raises:
        InputError: ONNX Runtime is not installed, the file cannot be read or is another model's, or its settings are
            missing.
    """

    tolerance = 1e-4  # of float32 sums in another order

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        onnxruntime = import_extra("onnxruntime", extra="onnx", needed_for="ONNX files")
        if not is_run_folder(path.parent):
            raise InputError(f"{path}: expected the settings that `vidmodel export` writes beside it. Received: none")
        self.run = read_settings_of_run(path.parent)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no class in common
            raise InputError(f"{path} cannot be read as an ONNX file: {' '.join(str(error).split())[:200]}") from None
        inputs = {value.name for value in self._session.get_inputs()}
        if inputs != {"frames", "token_ids"}:
            received = ", ".join(sorted(inputs))
            raise InputError(f"{path}: expected a model of frames and token_ids. Received: one of {received}")

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """See `vidmodel_tf.forms.open_model.ModelForm`. The file looks at the frames anew for each text."""
        heads = list(self.run.labels)
        return [
            dict(zip(heads, self._session.run(heads, self._inputs(frames_BxTxHxWxC, words)), strict=True))
            for words in texts
        ]

    def _inputs(self, frames_BxTxHxWxC: np.ndarray, words: Sequence[str]) -> dict[str, np.ndarray]:
        return {"frames": frames_BxTxHxWxC, "token_ids": encode_texts(words, self.run)}
