"""The commands that are killed and interrupted, with small inputs that keep each of them short."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.track_videos import TextTrack, write_tracks
from tests.videos import write_video

ROOT = Path(__file__).parents[2]
NUM_CLIPS = 16
RED, BLUE = (255, 40, 40), (40, 40, 255)
PREPARE = {"num_stored_frames": 8, "short_side": 48, "num_workers": 2}
MODEL = {
    "backbone": "small_cnn", "weights": "small_cnn.weights.h5", "num_frames": 4, "height": 32, "width": 40,
    "projection_units": 16, "lstm_units": 12, "num_tokens": 12, "embedding_units": 8, "text_lstm_units": 8,
    "hidden_units": 16,
}  # fmt: skip
TRAIN = {"epochs": 2, "fine_tune_epochs": 1, "refit": True, "batch_size": 4, "patience": 50}
WORDS_ONLY = {
    "branches": "text", "num_frames": 4, "height": 32, "width": 32, "num_tokens": 12, "text_pooling": "mean",
    "embedding_units": 8, "hidden_units": 8,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Subject:
    """A command line, and what it needs in the folder that it is run in.

    Attributes:
        name: Of the command.
        arguments: What follows it.
        inputs: Names of what others have left behind, or `draw_inputs` has drawn.
        share: Of all kills.
        is_printed: Whether what it prints is its result.
    """

    name: str
    arguments: Sequence[str]
    inputs: Sequence[str]
    share: float = 0.0
    is_printed: bool = False


KILLED = (
    Subject("prepare", ["clips.csv", "--out", "data", "--config", "prepare.json"], ["clips"], 0.2),
    Subject("train", ["data", "--out", "run", "--config", "train.json"], ["prepare"], 0.3),
    Subject("export", ["run", "--out", "exported"], ["train"], 0.1),
    Subject(
        "crossvalidate",
        ["data", "--out", "cross", "--config", "words.json", "--folds", "2", "--seeds", "1", "--workers", "2"],
        ["prepare"],
        0.15,
    ),
    Subject("words", ["films", "--json"], ["clips", "films"], 0.1, is_printed=True),
    Subject("timeline", ["run", "film.mp4", "--out", "lines", "--clips"], ["train"], 0.15),
)


def draw_inputs(folder: Path) -> None:
    """Draws videos with words, and writes settings and weights."""
    clips, films = folder / "clips", folder / "films" / "films"
    clips.mkdir(parents=True)
    films.mkdir(parents=True)
    with (clips / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "title", "source"])
        for number in range(NUM_CLIPS):
            color, label = ((RED, "red"), (BLUE, "blue"))[number % 2]
            name = f"clip{number:02d}.mp4"
            write_video(clips / name, num_frames=32 + number, size=(192, 144), color=color)
            rows.writerow([name, label, f"a {label} film" if number % 3 else "a film", f"camera{number // 2}"])
    write_video(clips / "film.mp4", num_frames=500, size=(192, 144))
    for number in range(24):
        track = TextTrack("subrip", [(0.2, 1.0, f"line {number}"), (1.2, 2.0, "more")])
        write_tracks(films / f"{number:02d}.mkv", [track], metadata={"title": f"Film {number}"})
    (clips / "prepare.json").write_text(json.dumps({"prepare": PREPARE}))
    (clips / "train.json").write_text(json.dumps({"model": MODEL, "train": TRAIN}))
    (clips / "words.json").write_text(json.dumps({"model": WORDS_ONLY, "train": {"epochs": 2}}))
    _write_weights(clips / MODEL["weights"])


def _write_weights(path: Path) -> None:
    """They stand for pretrained ones: with them the backbone is frozen, then fine-tuned."""
    import keras

    from vidmodel_tf.model.backbones import small_cnn

    keras.utils.set_random_seed(3)
    small_cnn((MODEL["height"], MODEL["width"], 3)).save_weights(path)


def lay_out(subject: Subject, folder: Path, available: Path) -> None:
    """A new folder for a subject, with its inputs."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in subject.inputs:
        shutil.copytree(available / name, folder, dirs_exist_ok=True)


def keep_last_version(folder: Path) -> None:
    """Makes the last of several versions of an export the only one.

    A call that was killed at its very end, or that had ended, leaves a version; the next call adds another.
    """
    versions = sorted(folder.glob("exported/[1-9]*"), key=lambda path: int(path.name))
    for path in versions[:-1]:
        shutil.rmtree(path)
    if versions:
        versions[-1].rename(folder / "exported" / "1")


def command_line(subject: Subject) -> list[str]:
    """Of a fresh interpreter."""
    return [sys.executable, "-m", "vidmodel_tf", subject.name, *subject.arguments]


def environment(folder: Path) -> dict[str, str]:
    """One thread, whose sums are the same each time, and a cache of the folder's own."""
    single = dict.fromkeys(["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"], "1")
    (temporary := folder / ".tmp").mkdir(exist_ok=True)  # what killed processes leave there is nobody's business
    own = {
        "VIDMODEL_CACHE": str(folder / ".cache"),
        "TMPDIR": str(temporary),
        "TF_DETERMINISTIC_OPS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    return {**os.environ, **single, **own, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
