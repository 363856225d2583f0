"""An ONNX file, run by ONNX Runtime as a server without TensorFlow runs it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.prediction.run_model import Scores
from vidmodel_tf.prediction.token_ids import encode_texts
from vidmodel_tf.run_folder import read_settings_of_run


def import_extra(name: str) -> ModuleType:
    """Imports what only the extra `onnx` installs.

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f'ONNX files need {name}, which is not installed ({error}): pip install "vidmodel_tf[onnx]"'
        ) from None


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
        onnxruntime = import_extra("onnxruntime")
        if not (path.parent / "config.json").is_file():
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
        """See `vidmodel_tf.prediction.forms.ModelForm`. The file looks at the frames anew for each text."""
        heads = list(self.run.labels)
        return [
            dict(zip(heads, self._session.run(heads, self._inputs(frames_BxTxHxWxC, words)), strict=True))
            for words in texts
        ]

    def _inputs(self, frames_BxTxHxWxC: np.ndarray, words: Sequence[str]) -> dict[str, np.ndarray]:
        return {"frames": frames_BxTxHxWxC, "token_ids": encode_texts(words, self.run)}
