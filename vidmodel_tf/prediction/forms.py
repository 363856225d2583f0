"""The forms in which a trained model exists, behind one question: these frames and these words, what scores?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder import Run, load_run

Scores = dict[str, np.ndarray]  # {head: float32 [B, K]}


class RunModel:
    """The model of a run folder.

    Args:
        run: The run folder, as read.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        model = run.load_model()
        head = model.get_layer("head")
        self._encode = None
        if run.model.has_frames:
            encoder, projection = model.get_layer("frame_encoder"), model.get_layer("projection")
            self._encode = tf.function(lambda frames: projection(encoder(frames, training=False), training=False))
        self._classify = tf.function(lambda parts: head(parts, training=False))

    def scores(self, frames_BxTxHxWxC: np.ndarray, texts: Sequence[np.ndarray]) -> list[Scores]:
        """Scores for the same frames beside each of several texts: the frames are looked at once.

        Args:
            frames_BxTxHxWxC: uint8 RGB.
            texts: Token ids, int32 [B, L] each.
        """
        seen = {"features": self._encode(tf.convert_to_tensor(frames_BxTxHxWxC))} if self._encode else {}
        answers = (self._classify({**seen, "token_ids": tf.convert_to_tensor(token_ids)}) for token_ids in texts)
        return [{head: scores.numpy() for head, scores in answer.items()} for answer in answers]


def open_model(path: str | Path) -> RunModel:
    """Opens a trained model for prediction.

    Raises:
        InputError: There is no model at `path`.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"there is no model at {path}: expected a run folder made by `vidmodel train`")
    return RunModel(load_run(path))
