"""A SavedModel that `vidmodel export` wrote, as a server runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.keras_form import Scores
from vidmodel_tf.run_folder.layout import EXPORTED_RUN, is_run_folder
from vidmodel_tf.run_folder.run import read_settings_of_run


class SavedModelForm:
    """A SavedModel, opened.

    Args:
        path: The folder of one version.

    Raises:
        InputError: It was not made by `vidmodel export`, or cannot be read.
    """

    tolerance = 1e-4  # of float32 sums in another order

    def __init__(self, path: Path) -> None:
        if not is_run_folder(path / EXPORTED_RUN):
            raise InputError(
                f"{path}: expected a SavedModel made by `vidmodel export`. Received: one without {EXPORTED_RUN}"
            )
        self.run = read_settings_of_run(path / EXPORTED_RUN)
        try:
            self._model = tf.saved_model.load(str(path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise InputError(f"{path} cannot be read as a SavedModel: {' '.join(str(error).split())[:200]}") from None

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[Sequence[str]]) -> list[Scores]:
        """See `vidmodel_tf.forms.open_model.ModelForm`."""
        signatures, frames = self._model.signatures, tf.convert_to_tensor(frames_BxTxHxWxC)
        if self.run.config.model.has_frames:
            name, seen = "classify_features", dict(signatures["frame_features"](frames=frames))
        else:
            name, seen = "serving_default", {"frames": frames}
        answers = (signatures[name](**seen, text=tf.constant(list(words))) for words in texts)
        return [self._scores_of(answer) for answer in answers]

    def scores_by_signature(
        self, jpegs_BxT: Sequence[Sequence[bytes]] | None, frames_BxTxHxWxC: np.ndarray, words: Sequence[str]
    ) -> dict[str, Scores]:
        """The same clips asked of every signature that answers with scores.

        Args:
            jpegs_BxT: The frames as JPEG files; None: `encoded_frames` is not asked.
            frames_BxTxHxWxC: The frames, uint8 RGB.
            words: Joined strings, one a clip.
        """
        signatures, text = self._model.signatures, tf.constant(list(words))
        frames = tf.convert_to_tensor(frames_BxTxHxWxC)
        answers = {"serving_default": signatures["serving_default"](frames=frames, text=text)}
        if jpegs_BxT is not None:
            answers["encoded_frames"] = signatures["encoded_frames"](jpeg_frames=tf.constant(jpegs_BxT), text=text)
        if "frame_features" in signatures:
            features = signatures["frame_features"](frames=frames)["features"]
            answers["classify_features"] = signatures["classify_features"](features=features, text=text)
        return {name: self._scores_of(answer) for name, answer in answers.items()}

    def _scores_of(self, answer: dict[str, tf.Tensor]) -> Scores:
        return {head: answer[f"{head}_scores"].numpy() for head in self.run.labels}
