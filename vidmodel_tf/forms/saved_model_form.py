"""A SavedModel that `vidmodel export` wrote, as a server runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from vidmodel_tf.clips.question import Question
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.integrity import check_sums
from vidmodel_tf.records.frames import black_frames
from vidmodel_tf.run_folder.layout import CONTENT_OF_VERSION, EXPORTED_RUN, is_run_folder
from vidmodel_tf.run_folder.run import read_settings_of_run
from vidmodel_tf.text.fields import check_text_length


class SavedModelForm(Form):
    """A SavedModel, opened.

    Args:
        path: The folder of one version.

    Raises:
        InputError: It was not made by `vidmodel export`, or cannot be read.
    """

    tolerance = 1e-4  # float32 sums in another order

    def __init__(self, path: Path) -> None:
        if not is_run_folder(path / EXPORTED_RUN):
            raise InputError(
                f"{path}: expected a SavedModel made by `vidmodel export`. Received: one without {EXPORTED_RUN}"
            )
        check_sums(path, CONTENT_OF_VERSION)
        self.path, self.run = path, read_settings_of_run(path / EXPORTED_RUN)
        try:
            self._signatures = tf.saved_model.load(str(path)).signatures
        except Exception as error:  # of a damaged file TensorFlow raises whatever its own code stumbles over
            raise InputError(f"{path} cannot be read as a SavedModel: {' '.join(str(error).split())[:200]}") from None

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """See `Form`. The signature has no input for the frame before: that is encoded again, and dropped."""
        frames = frames_BxTxHxWxC
        if previous_BxHxWxC is None or self.run.config.model.streams == "appearance":
            return self._frame_features(frames)
        return self._frame_features(np.concatenate([previous_BxHxWxC[:, np.newaxis], frames], axis=1))[:, 1:]

    def _frame_features(self, frames: np.ndarray) -> np.ndarray:
        return self._signatures["frame_features"](frames=tf.convert_to_tensor(frames))["features"].numpy()

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`."""
        for text in words:
            check_text_length(text)  # as the other forms say it; the graph has the same limit
        if features is None:
            return self._ask("serving_default", words, frames=black_frames(len(words), self.run.config.model))
        return self._ask("classify_features", words, features=features)

    def scores_by_way(self, questions: Sequence[Question], frames_BxTxHxWxC: np.ndarray) -> dict[str, Scores]:
        """Asks every signature that answers with scores."""
        words = [question.words for question in questions]
        if not self.run.config.model.has_frames:
            return {"serving_default": self.classify(None, words)}
        jpegs = np.array([question.jpeg_frames for question in questions], object)
        return {
            "serving_default": self._ask("serving_default", words, frames=frames_BxTxHxWxC),
            "encoded_frames": self._ask("encoded_frames", words, jpeg_frames=jpegs),
            "classify_features": self.scores(frames_BxTxHxWxC, words),
        }

    def _ask(self, signature: str, words: Sequence[str], **inputs: np.ndarray) -> Scores:
        tensors = {name: tf.convert_to_tensor(value) for name, value in inputs.items()}
        answer = self._signatures[signature](**tensors, text=tf.constant(list(words)))
        return {head: answer[f"{head}_scores"].numpy() for head in self.run.labels}
