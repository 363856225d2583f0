"""Peak memory of `vidmodel prepare` and of an epoch of `vidmodel train`, at 50 and at 500 clips.

    python benchmarks/memory.py

Each figure is the largest resident set of one process (the command or any of its workers), read from the kernel when
the command has ended.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

SIZES = (50, 500)
WIDTH, HEIGHT, NUM_FRAMES = 340, 256, 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [(num_clips, *_measure(Path(folder) / str(num_clips), num_clips)) for num_clips in SIZES]
    print("clips  prepare MB  train MB")
    for num_clips, prepare, train in rows:
        print(f"{num_clips:5}  {prepare:10.0f}  {train:8.0f}")
    (_, *few), (_, *many) = rows
    print("ratio  " + "  ".join(f"{b / a:.3f}" for a, b in zip(few, many, strict=True)))


def _measure(folder: Path, num_clips: int) -> tuple[float, float]:
    manifest = _write_clips(folder, num_clips)
    data = folder / "data"
    prepare = _peak_megabytes("prepare", manifest, "--out", data)
    settings = ("model.height=112", "model.width=112", "train.batch_size=4")
    flags = [part for setting in settings for part in ("--set", setting)]
    small = ("--backbone", "small_cnn", "--weights", "none", "--epochs", "1")
    return prepare, _peak_megabytes("train", data, "--out", folder / "run", *small, *flags)


def _write_clips(folder: Path, num_clips: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(num_clips):
        path = str(folder / f"{number}.mp4")
        writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 20, (WIDTH, HEIGHT))
        picture = cv2.resize(rng.integers(0, 256, (16, 16, 3), np.uint8), (WIDTH, HEIGHT))
        for frame in range(NUM_FRAMES):
            writer.write(np.roll(picture, 3 * frame, axis=1))
        writer.release()
    manifest = folder / "clips.csv"
    with manifest.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *((f"{i}.mp4", "ab"[i % 2]) for i in range(num_clips))])
    return manifest


def _peak_megabytes(*arguments: object) -> float:
    command = [sys.executable, "-m", "vidmodel_tf", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
