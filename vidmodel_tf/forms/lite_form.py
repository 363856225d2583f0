"""A TensorFlow Lite file of a whole model, run as a phone runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from ai_edge_litert.interpreter import Interpreter, SignatureRunner

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Scores
from vidmodel_tf.forms.settings_beside import read_settings_beside
from vidmodel_tf.forms.whole_clip_form import WholeClipForm

# By the name of the file. Half precision keeps three digits of each weight; int8 keeps two.
TOLERANCES: Mapping[str, float] = MappingProxyType({"float32": 1e-4, "float16": 2e-2, "dynamic": 0.15, "int8": 0.25})


class LiteForm(WholeClipForm):
    """A `.tflite` file of a whole model, opened.

    Args:
        path: The file, with the settings that `vidmodel export` puts beside it.
        num_threads: Threads that the interpreter may use.

    Raises:
        InputError: It cannot be read, is one half of the streaming pair, or its settings are missing.
    """

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        self.path, self.run = Path(path), read_settings_beside(path)
        self.tolerance = TOLERANCES.get(path.stem, TOLERANCES["float32"])
        self._run_clip = open_signature(path, num_threads)
        inputs = set(self._run_clip.get_input_details())
        if inputs != {"frames", "token_ids"}:
            received = ", ".join(sorted(inputs))
            raise InputError(
                f"{path}: expected a whole model, of frames and token_ids. Received: a part, of {received}"
            )

    def ask(self, frames_BxTxHxWxC: np.ndarray, token_ids_BxL: np.ndarray) -> Scores:
        """See `WholeClipForm`. The file takes one clip at a time."""
        rows = [
            self._run_clip(frames=frames_BxTxHxWxC[row : row + 1], token_ids=token_ids_BxL[row : row + 1])
            for row in range(len(frames_BxTxHxWxC))
        ]
        return {head: np.concatenate([row[head] for row in rows]) for head in self.run.labels}


def open_signature(path: Path, num_threads: int) -> SignatureRunner:
    """Opens a `.tflite` file; what is returned is called with named arrays and gives named arrays.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return Interpreter(str(path), num_threads=num_threads).get_signature_runner()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a TensorFlow Lite file: {error}") from None
