"""A model in one file that cannot be split: it takes the frames of whole clips, and encodes them for every answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.records.frames import black_frames


class WholeClipForm(Form):
    """A form whose features are the frames themselves."""

    @abstractmethod
    def ask(self, frames_BxTxHxWxC: np.ndarray, token_ids_BxL: np.ndarray) -> Scores:
        """Runs the file.

        Args:
            frames_BxTxHxWxC: uint8 RGB.
            token_ids_BxL: int32.
        """

    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """Gives the frames; the file sees no motion in the first of each clip."""
        return frames_BxTxHxWxC

    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """See `Form`."""
        frames = black_frames(len(words), self.run.config.model) if features is None else features
        return self.ask(frames, encode_texts(words, self.run))

    def as_clips(self, features: np.ndarray) -> np.ndarray:
        """See `Form`."""
        return features
