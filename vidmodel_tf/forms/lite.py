"""A TensorFlow Lite file, run as a phone runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.run_folder.layout import is_run_folder
from vidmodel_tf.run_folder.run import read_settings_of_run

# By the name of the file. Half precision keeps three digits of each weight; int8 keeps two.
TOLERANCES = MappingProxyType({"float32": 1e-4, "float16": 2e-2, "dynamic": 0.15, "int8": 0.25})


class LiteModel:
    """A `.tflite` file of a whole model, opened.

    Args:
        path: The file, with the settings that `vidmodel export` puts beside it.
        num_threads: That the interpreter may use.

    Raises:
        InputError: It cannot be read, is one half of the streaming pair, or its settings are missing.
    """

    def __init__(self, path: str | Path, num_threads: int = 2) -> None:
        path = Path(path)
        if not is_run_folder(path.parent):
            raise InputError(f"{path}: expected the settings that `vidmodel export` writes beside it. Received: none")
        self.run = read_settings_of_run(path.parent)
        self.tolerance = TOLERANCES.get(path.stem, TOLERANCES["float32"])
        try:
            self._run = Interpreter(str(path), num_threads=num_threads).get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{path} cannot be read as a TensorFlow Lite file: {error}") from None
        inputs = set(self._run.get_input_details())
        if inputs != {"frames", "token_ids"}:
            received = ", ".join(sorted(inputs))
            raise InputError(
                f"{path}: expected a whole model, of frames and token_ids. Received: a part, of {received}"
            )

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """See `vidmodel_tf.forms.open_model.ModelForm`. The file takes one clip at a time."""
        return [self._score(frames_BxTxHxWxC, encode_texts(words, self.run)) for words in texts]

    def _score(self, frames: np.ndarray, token_ids: np.ndarray) -> Scores:
        rows = [
            self._run(frames=frames[row : row + 1], token_ids=token_ids[row : row + 1]) for row in range(len(frames))
        ]
        return {head: np.concatenate([row[head] for row in rows]) for head in self.run.labels}


class LitePair:
    """The streaming pair: each frame looked at once, then all of them classified.

    Args:
        folder: The folder that `vidmodel export` made.
        precision: Of the file that looks at frames, "float32" or "int8".
        num_threads: That the interpreters may use.
    """

    def __init__(self, folder: str | Path, precision: str, num_threads: int = 2) -> None:
        folder = Path(folder)
        self.run = read_settings_of_run(folder)
        self.tolerance = TOLERANCES[precision]
        self._encode, self._classify = (
            Interpreter(str(folder / f"{name}.tflite"), num_threads=num_threads).get_signature_runner()
            for name in (f"frame_features_{precision}", "classify_features")
        )

    def features(self, frame: np.ndarray, previous_frame: np.ndarray) -> np.ndarray:
        """uint8 [1, H, W, 3] twice (the first frame of a stream is its own predecessor) -> features [1, D]."""
        return self._encode(frame=frame, previous_frame=previous_frame)["features"]

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """See `vidmodel_tf.forms.open_model.ModelForm`."""
        previous = np.concatenate([frames_BxTxHxWxC[:, :1], frames_BxTxHxWxC[:, :-1]], axis=1)
        features = [
            np.stack([self.features(clip[t : t + 1], before[t : t + 1])[0] for t in range(len(clip))])
            for clip, before in zip(frames_BxTxHxWxC, previous, strict=True)
        ]
        return [self._score(features, encode_texts(words, self.run)) for words in texts]

    def _score(self, features: Sequence[np.ndarray], token_ids: np.ndarray) -> Scores:
        rows = [
            self._classify(features=clip[np.newaxis], token_ids=token_ids[row : row + 1])
            for row, clip in enumerate(features)
        ]
        return {head: np.concatenate([row[head] for row in rows]) for head in self.run.labels}
