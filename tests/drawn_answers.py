"""Short videos of a ball on a coloured ground, with lists of them: questions about both, and categories with moods."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import numpy as np

from tests.manifests import write_table

COLORS_RGB = {"red": (225, 40, 40), "green": (40, 190, 60), "blue": (40, 70, 230)}
CATEGORIES = {"beach": "blue", "forest": "green", "desert": "red"}  # by the colour of the ground
MOODS = {  # said with words that differ, about things that say nothing
    "happy": ("what a lovely day", "so much fun", "we laughed", "best trip ever"),
    "sad": ("we miss you", "a lonely day", "the last goodbye", "so tired and alone"),
}
SMALL = {  # what makes the commands of a page small enough for a test
    "prepare": {"num_stored_frames": 4, "short_side": 32, "validation_fraction": 0.2, "test_fraction": 0.25},
    "model": {
        "backbone": "small_cnn", "num_frames": 2, "height": 32, "width": 40, "projection_units": 32, "lstm_units": 24,
        "num_tokens": 12, "embedding_units": 16, "text_lstm_units": 24, "hidden_units": 64, "dropout": 0.0,
    },
    "train": {"epochs": 30, "patience": 30, "batch_size": 16, "learning_rate": 0.005, "label_smoothing": 0.0},
}  # fmt: skip


def draw_video(path: Path, ground: str, ball: str, seed: int) -> Path:
    """A second of a ball that moves across a ground; both are names of colours."""
    rng, (width, height) = np.random.default_rng(seed), (64, 48)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 12, (width, height))
    y, radius = int(rng.integers(18, 30)), int(rng.integers(12, 16))
    for x in np.linspace(rng.integers(16, 26), rng.integers(38, 48), 12).astype(int):
        frame = np.full((height, width, 3), COLORS_RGB[ground], np.float32)
        cv2.circle(frame, (int(x), y), radius, COLORS_RGB[ball], thickness=-1)
        frame += rng.normal(0, 6, frame.shape)
        writer.write(np.clip(frame, 0, 255).astype(np.uint8)[..., ::-1])
    writer.release()
    return path


def write_questions(folder: Path, rounds: int) -> Path:
    """Two questions about each video, whose answers differ: `questions.csv`."""
    rows = []
    for number, (ground, ball) in enumerate([*itertools.permutations(COLORS_RGB, 2)] * rounds):
        name = draw_video(folder / f"video{number:03d}.mp4", ground, ball, number).name
        rows += [
            {"path": name, "question": "What colour is the ball?", "label": ball},
            {"path": name, "question": "What colour is the ground?", "label": ground},
        ]
    return write_table(folder / "questions.csv", rows)


def write_moods(folder: Path, rounds: int) -> Path:
    """The ground tells the category, the title the mood; a fifth of the labels of either is missing: `videos.csv`."""
    rows = []
    for number, (category, mood) in enumerate([*itertools.product(CATEGORIES, MOODS)] * rounds):
        rng = np.random.default_rng(number)
        ground, ball = CATEGORIES[category], rng.choice([*COLORS_RGB])
        name = draw_video(folder / f"video{number:03d}.mp4", ground, ball, number).name
        missing = rng.choice(["", "category", "mood"], p=[0.6, 0.2, 0.2])
        rows.append(
            {
                "path": name,
                "title": f"{rng.choice(MOODS[mood])}, part {rng.integers(1, 4)}",
                "label:category": "" if missing == "category" else category,
                "label:mood": "" if missing == "mood" else mood,
            }
        )
    return write_table(folder / "videos.csv", rows)


def write_small_settings(folder: Path, weights: Path) -> None:
    """`prepare.json` and `train.json`, for --config."""
    model = {**SMALL["model"], "weights": str(weights)}
    (folder / "prepare.json").write_text(json.dumps({"prepare": SMALL["prepare"]}))
    (folder / "train.json").write_text(json.dumps({"model": model, "train": SMALL["train"]}))
