"""Trained runs to export, and the questions that every form of them is asked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder import Run
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.training.train import train

CONFIGS = {
    "plain": MODEL,
    "two_streams": dataclasses.replace(
        MODEL, streams="both", num_nets=2, bidirectional=True, pooling="attention", text_pooling="both", num_layers=2
    ),
    "motion": dataclasses.replace(MODEL, streams="motion", branches="video", pooling="mean"),
    "words": dataclasses.replace(MODEL, branches="text"),
}
TEXTS = [
    {"title": "一个红色的视频 🎬", "tags": "short, test"},
    {},
    {"title": "A blue film " * 20, "subtitles": "你好 world"},
    {"tags": "ÉCOLE unknown-word 123"},
    {"description": "\x01 a marker \x07 inside"},
    {"title": "🎬🎬"},
]


def train_run(data: Path, out: Path, config: ModelConfig) -> Run:
    """A run whose scores differ from clip to clip."""
    return train(data, out, config, dataclasses.replace(TRAIN, epochs=3))


def questions(run: Run) -> tuple[np.ndarray, list[str]]:
    """Frames of real clips, uint8 [B, T, H, W, 3], and joined strings."""
    batches = for_inference(run.data, "train", run.model, run.vocabulary, batch_size=len(TEXTS))
    inputs, _, _ = next(batches.as_numpy_iterator())
    frames = inputs["frames"].copy()
    frames[1, 2:] = frames[1, 1]  # a clip that stands still
    return frames, [join_fields(text, run.model.text_fields) for text in TEXTS]


def expected_scores(run: Run) -> dict[str, np.ndarray]:
    """What the Keras model says to the questions."""
    frames, texts = questions(run)
    config = run.model
    token_ids = np.stack([run.vocabulary.encode(text, config.num_tokens, config.field_budgets) for text in texts])
    return run.load_model().predict({"frames": frames, "token_ids": token_ids}, verbose=0)
