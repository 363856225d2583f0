"""Frames encoded once, however many questions are asked about them one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.clips.question import Question
from vidmodel_tf.forms.form import Form
from vidmodel_tf.records.frames import decode_questions


class EncodedOnce:
    """Encodes batches of questions, and remembers the features of the last batch.

    A model in one file that cannot be split has no features to share: it encodes frames for every question.

    Args:
        form: The model.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._last: dict[tuple[bytes, ...], np.ndarray] = {}  # by frames

    def encode(self, questions: Sequence[Question]) -> np.ndarray | None:
        """The features [B, T, ...] of the frames of each question; None for a model of words alone.

        Args:
            questions: B of them. Those with frames of the batch before, or of each other, cost nothing.
        """
        if not self._form.run.config.model.has_frames:
            return None
        new = {question.jpeg_frames: question for question in questions if question.jpeg_frames not in self._last}
        if new:
            features = self._form.encode(decode_questions(list(new.values()), self._form.run.config.model))
            self._last |= dict(zip(new, features, strict=True))
        self._last = {question.jpeg_frames: self._last[question.jpeg_frames] for question in questions}
        return np.stack([self._last[question.jpeg_frames] for question in questions])
