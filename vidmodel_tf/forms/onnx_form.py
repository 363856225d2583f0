"""An ONNX file, run by ONNX Runtime as a server without TensorFlow runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import import_extra
from vidmodel_tf.forms.form import Scores
from vidmodel_tf.forms.settings_beside import read_settings_beside
from vidmodel_tf.forms.whole_clip_form import WholeClipForm


class OnnxForm(WholeClipForm):
    """A `.onnx` file, opened.

    Args:
        path: The file, with the settings that `vidmodel export` puts beside it.
        num_threads: Threads that ONNX Runtime may use.

    Raises:
        InputError: ONNX Runtime is not installed, the file cannot be read or is another model's, or its settings are
            missing.
    """

    tolerance = 1e-4  # float32 sums in another order

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        onnxruntime = import_extra("onnxruntime", extra="onnx", needed_for="ONNX files")
        self.path, self.run = Path(path), read_settings_beside(path)
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

    def ask(self, frames_BxTxHxWxC: np.ndarray, token_ids_BxL: np.ndarray) -> Scores:
        """See `WholeClipForm`."""
        heads = list(self.run.labels)
        inputs = {"frames": frames_BxTxHxWxC, "token_ids": token_ids_BxL}
        return dict(zip(heads, self._session.run(heads, inputs), strict=True))
