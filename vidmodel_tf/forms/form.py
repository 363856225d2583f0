"""What every trained model can be asked, in whatever form it is kept.

Legend of shapes: B batch, T frames of a clip, T' any number of frames, H W C height, width and channels, D features,
K classes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.run_folder.run import Run

Scores = dict[str, np.ndarray]
"""`{head: float32 [B, K]}`."""


class Form(Protocol):
    """A trained model. Callers need not know in which form.

    Attributes:
        path: Where it lies, as `open_model` takes it.
        run: The settings of its run folder; `run.path` is where they were read.
        tolerance: How far its scores may be from those of the Keras model.
        keeps_results: Whether what is measured on it is written into `run.path`; an exported model is left as it is.
    """

    path: Path
    run: Run
    tolerance: float
    keeps_results: bool = False

    @abstractmethod
    def encode(self, frames_BxTxHxWxC: np.ndarray, previous_BxHxWxC: np.ndarray | None = None) -> np.ndarray:
        """Encodes frames, each once. Not to be called for a model of words alone.

        Args:
            frames_BxTxHxWxC: uint8 RGB [B, T', H, W, 3] in display order.
            previous_BxHxWxC: uint8 RGB, the frame before the first: the motion of the first frame is the difference
                between the two. None: the first frame has no motion, as in every clip of the training data.

        Returns:
            [B, T', ...], for each frame what `classify` takes of it. A file that cannot be split gives the frames
            themselves, and leaves `previous_BxHxWxC` alone.
        """

    @abstractmethod
    def classify(self, features: np.ndarray | None, words: Sequence[str]) -> Scores:
        """Scores clips.

        Args:
            features: [B, T, ...] from `encode`; None for a model of words alone.
            words: Joined strings (`text.fields.join_fields`), B of them; "": no words.
        """

    def scores(self, frames_BxTxHxWxC: np.ndarray, words: Sequence[str]) -> Scores:
        """Encodes and classifies clips.

        Args:
            frames_BxTxHxWxC: uint8 RGB; a model of words alone ignores them.
            words: As in `classify`.
        """
        return self.classify(self.encode(frames_BxTxHxWxC) if self.run.config.model.has_frames else None, words)

    def scores_by_way(self, questions: Sequence[Question], frames_BxTxHxWxC: np.ndarray) -> dict[str, Scores]:
        """Asks the same questions in every way in which the form can be asked.

        Args:
            questions: B of them.
            frames_BxTxHxWxC: Their frames (`records.frames.decode_questions`).

        Returns:
            `{way: scores}`.
        """
        return {"scores": self.scores(frames_BxTxHxWxC, [question.words for question in questions])}

    def as_clips(self, features: np.ndarray) -> np.ndarray:
        """Windows of a longer sequence of features -> the features of the same frames as clips of their own.

        The first frame of a clip never has motion in training; the first frame of a window has.

        Args:
            features: [B, T, ...] from `encode`.

        Returns:
            A copy in which the first frames have no motion.
        """
        streams, (*_, num_features) = self.run.config.model.streams, features.shape
        first_of_motion = {"appearance": num_features, "motion": 0, "both": num_features // 2}[streams]
        features = features.copy()
        features[:, 0, first_of_motion:] = 0
        return features
