"""How time and memory grow with the frames of a clip, the batch, the size of a frame, the clips and the rows of words.

    python benchmarks/growth.py [--clips N] [--rows N] [--json FILE]

Each row is a process of its own, whose largest resident set is read from the kernel when it has ended (that of the
command or any of its workers). A shape is ResNet50 with random weights and all behind it, trained and asked. Clips are
ranges of drawn videos, prepared with 8 frames of 64 x 64, and trained on from scratch with a small CNN for one epoch;
rows are made-up titles. "growth" is the price of a further unit of work, from the row before to this one, divided by
what it was one row earlier: 1 where time grows as the work does.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from steps.work import TASKS, Work

FRAMES, BATCHES, SIZES = (4, 8, 16, 32, 64), (1, 4, 16), (64, 112, 224)
SMALLEST = 10  # clips; rows begin with a hundred times as many
CLIPS_A_VIDEO, FPS, CLIP_FRAMES = 100, 16, 8
STEPS = 3
PRODUCT = Path(__file__).parent / "steps" / "product.py"
Row = dict[str, str | int | float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=10_000, help="at most (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of words, at most (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    options = parser.parse_args()
    rows: list[Row] = []
    print(f"{'what':<22} {'work':>10} {'seconds':>9} {'MB':>7} {'growth':>7}")
    with tempfile.TemporaryDirectory() as folder:
        clips, words = _clips(Path(folder), options.clips), _words(Path(folder), options.rows)
        for part in itertools.chain(_shapes(), clips, words):
            _print(part)
            rows += part
            if options.json:
                options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _print(rows: Sequence[Row]) -> None:
    marginal = [
        (after["seconds"] - before["seconds"]) / (after["work"] - before["work"])
        for before, after in itertools.pairwise(rows)
    ]
    growths = [*[""] * min(len(rows), 2), *(f"{after / before:.2f}" for before, after in itertools.pairwise(marginal))]
    for row, growth in zip(rows, growths, strict=True):
        print(
            f"{row['what']:<22} {row['work']:10,} {row['seconds']:9.2f} {row['megabytes']:7.0f} {growth:>7}", flush=True
        )


def _shapes() -> Iterator[list[Row]]:
    for task in TASKS:
        yield [_step(f"{task}, frames", frames, Work(task, "float32", 1, frames, 112)) for frames in FRAMES]
        yield [_step(f"{task}, batch", batch, Work(task, "float32", batch, 8, 112)) for batch in BATCHES]
        yield [_step(f"{task}, pixels", size**2, Work(task, "float32", 1, 8, size)) for size in SIZES]


def _step(what: str, amount: int, work: Work) -> Row:
    """The median of a few steps, after the first one, which compiles."""
    command = [sys.executable, str(PRODUCT), *work.arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    process.stdin.write("1\n" * STEPS)
    process.stdin.close()
    seconds = [float(line) for line in process.stdout][1:]
    megabytes = _peak_megabytes(process)
    return _row(what, amount, statistics.median(seconds), megabytes)


def _clips(folder: Path, most: int) -> Iterator[list[Row]]:
    sizes = [number for number in (SMALLEST * 10**power for power in range(10)) if number <= most]
    _draw_videos(folder, -(-sizes[-1] // CLIPS_A_VIDEO))
    sources = [_write_ranges(folder / f"clips_{number}.csv", number) for number in sizes]
    stored = ("--set", f"prepare.num_stored_frames={CLIP_FRAMES}", "--set", "prepare.short_side=64")
    yield [
        _command("prepare", n, source, "--out", folder / f"clips_{n}", *stored)
        for n, source in zip(sizes, sources, strict=True)
    ]
    sized = [part for name in ("height", "width") for part in ("--set", f"model.{name}=64")]
    small = ("--backbone", "small_cnn", "--weights", "none", "--epochs", "1", "--set", "model.num_frames=8", *sized)
    yield [_command("train", n, folder / f"clips_{n}", "--out", folder / f"run_{n}", *small) for n in sizes]
    yield [_command("evaluate", n, folder / f"run_{n}") for n in sizes]


def _words(folder: Path, most: int) -> Iterator[list[Row]]:
    sizes = [number for number in (100 * SMALLEST * 10**power for power in range(10)) if number <= most]
    sources = [_write_titles(folder / f"rows_{number}.csv", number) for number in sizes]
    yield [
        _command("prepare", n, source, "--out", folder / f"rows_{n}") for n, source in zip(sizes, sources, strict=True)
    ]
    text = (
        "--set",
        "model.branches=text",
        "--epochs",
        "1",
        "--set",
        "train.batch_size=256",
        "--set",
        "model.num_tokens=8",
    )
    yield [_command("train", n, folder / f"rows_{n}", "--out", folder / f"words_{n}", *text) for n in sizes]


def _command(name: str, amount: int, *arguments: object) -> Row:
    source = "words" if "rows_" in str(arguments[0]) else "clips"
    start = time.perf_counter()
    command = [sys.executable, "-m", "vidmodel_tf", name, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    megabytes = _peak_megabytes(process)
    return _row(f"{name}, {source}", amount, time.perf_counter() - start, megabytes)


def _peak_megabytes(process: subprocess.Popen) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{process.args} failed")
    return usage.ru_maxrss / 1024


def _row(what: str, work: int, seconds: float, megabytes: float) -> Row:
    return {"what": what, "work": work, "seconds": seconds, "megabytes": megabytes}


def _draw_videos(folder: Path, number: int) -> None:
    rng = np.random.default_rng(0)
    for video in range(number):
        writer = cv2.VideoWriter(str(folder / f"{video}.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (96, 64))
        for _ in range(CLIPS_A_VIDEO):
            picture = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (96, 64))
            for frame in range(CLIP_FRAMES):
                writer.write(np.roll(picture, 3 * frame, axis=1))
        writer.release()


def _write_ranges(path: Path, number: int) -> Path:
    seconds = CLIP_FRAMES / FPS
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("path", "start_seconds", "end_seconds", "label", "split", "source"))
        for clip in range(number):
            video, place = divmod(clip, CLIPS_A_VIDEO)
            split = ("train", "train", "train", "validation", "test")[clip % 5]
            rows.writerow((f"{video}.mp4", place * seconds, (place + 1) * seconds, "ab"[clip // 5 % 2], split, clip))
    return path


def _write_titles(path: Path, number: int) -> Path:
    rng = np.random.default_rng(0)
    words = np.array([f"word{index}" for index in range(5000)])
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "title", "label"))
        for row, title in enumerate(rng.choice(words, (number, 6))):
            rows.writerow((f"row{row}", " ".join(title), "ab"[row % 2]))
    return path


if __name__ == "__main__":
    main()
