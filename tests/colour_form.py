"""A model of NumPy alone whose scores follow every change of colour: how blue a clip is, and how much moves in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tests.conftest import MODEL, PREPARE
from vidmodel_tf.config import TrainConfig
from vidmodel_tf.forms.form import Form
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.vocabulary import Vocabulary
from vidmodel_tf.run_folder.run import Run, RunConfig

CONFIG = RunConfig(dataclasses.replace(MODEL, streams="both", branches="video"), TrainConfig(), PREPARE)
LABELS = Labels({"colour": ["red", "blue"], "pace": ["still", "fast"]})


class ColourForm(Form):
    """Features are the mean red, green and blue of a frame, and of its difference to the frame before.

    Args:
        path: A file that stands for the model.
    """

    tolerance = 1e-6

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = Run(path, CONFIG, LABELS, Vocabulary.from_texts([], CONFIG.model.text_fields), {})

    def encode(self, frames_BxTxHxWxC, previous_BxHxWxC=None):
        frames = frames_BxTxHxWxC.astype(np.float32) / 255
        before = frames[:, :1] if previous_BxHxWxC is None else previous_BxHxWxC[:, None].astype(np.float32) / 255
        motion = np.abs(frames - np.concatenate([before, frames[:, :-1]], axis=1))
        return np.concatenate([part.mean(axis=(2, 3)) for part in (frames, motion)], axis=-1)

    def classify(self, features, words):
        red, _, blue, *motion = features.mean(axis=1).T
        logits = {"colour": 10 * (blue - red), "pace": 20 * (sum(motion) - 0.4)}
        second = {head: 1 / (1 + np.exp(-values)) for head, values in logits.items()}
        return {head: np.stack([1 - scores, scores], axis=1) for head, scores in second.items()}
