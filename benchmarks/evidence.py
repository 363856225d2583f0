"""Draws clips whose words and frames each carry half of the evidence for the answer, with noise.

    python benchmarks/evidence.py FOLDER

A clip is "calm" or "wild". Eight times it shows a disc, red with a probability of 0.65 in a wild clip and of 0.35 in a
calm one, else blue; its title has eight words, drawn from the words for wild things and those for calm things with the
same probabilities. All sixteen draws are independent given the answer, so counting them is the best that can be done:
right for 80.0 % of the clips from frames or from words alone, for 88.7 % from both (`best_accuracy`).
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import cv2
import numpy as np

from vidmodel_tf.storage import atomic_write

NUM_CLIPS = 600
NUM_DRAWS = 8
PROBABILITY = 0.65
FRAMES_PER_DRAW = 4
SIZE = 64  # pixels
WORDS = {
    "calm": ("breeze", "meadow", "lake", "garden", "sunset", "library", "tea", "pillow", "snowfall", "harbour"),
    "wild": ("thunder", "chase", "volcano", "stunt", "avalanche", "rally", "hurricane", "brawl", "rodeo", "explosion"),
}
COLORS_BGR = {"calm": (210, 80, 50), "wild": (40, 40, 210)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    draw(parser.parse_args().folder)


def draw(folder: Path) -> Path:
    """Draws the clips and their manifest, `FOLDER/clips.csv`, equal at each call; clips that are there are kept."""
    if (folder / "clips.csv").exists():
        return folder / "clips.csv"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(NUM_CLIPS):
        label = ("calm", "wild")[number % 2]
        name = f"{number:04d}.mp4"
        _draw_clip(folder / name, _draws(rng, label), rng)
        rows.append((name, label, " ".join(rng.choice(WORDS[kind]) for kind in _draws(rng, label))))
    with atomic_write(folder / "clips.csv") as beside, beside.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "title"), *rows])
    return folder / "clips.csv"


def best_accuracy(num_draws: int) -> float:
    """How often the majority of draws is right; where it is a tie, either answer is as good."""
    wrong = [
        math.comb(num_draws, k) * (1 - PROBABILITY) ** k * PROBABILITY ** (num_draws - k) for k in range(num_draws)
    ]
    tie = wrong[num_draws // 2] if num_draws % 2 == 0 else 0.0
    return sum(wrong[: math.ceil(num_draws / 2)]) + tie / 2


def _draws(rng: np.random.Generator, label: str) -> list[str]:
    other = "wild" if label == "calm" else "calm"
    return [label if draw < PROBABILITY else other for draw in rng.random(NUM_DRAWS)]


def _draw_clip(path: Path, kinds: list[str], rng: np.random.Generator) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 16, (SIZE, SIZE))
    for kind in kinds:
        center = rng.integers(16, SIZE - 16, size=2).tolist()
        for _ in range(FRAMES_PER_DRAW):
            frame = np.clip(rng.normal(120, 12, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
            cv2.circle(frame, center, 14, COLORS_BGR[kind], thickness=-1, lineType=cv2.LINE_AA)
            writer.write(frame)
    writer.release()


if __name__ == "__main__":
    main()
