"""Demo clips that are drawn, not downloaded: real video files with words, and a task that no shortcut solves.

A clip shows a ball in two of four colours, one after the other; its title asks for the first or for the last. The
answer needs the words, the frames and their order:

- Without words: both questions are asked about every drawn order, so either of the two colours is as good.
- Without frames: the clips that share their words form groups of four whose answers are the four colours.
- Without order: the parts of a clip (colour apart) are drawn independently of each other and of their place, so a heap
  of frames shows which two colours there were, not which came first.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import atomic_folder
from vidmodel_tf.video.opencv import import_opencv

COLORS_RGB = {"red": (215, 35, 35), "green": (35, 165, 50), "blue": (40, 70, 220), "yellow": (235, 210, 40)}
NUM_PLACES = 2  # first and last
ROUNDS = MappingProxyType({"train": 32, "validation": 8, "test": 10})
MANIFEST_NAME = "clips.csv"
FRAME_SIZES = ((96, 72), (72, 96), (80, 80), (64, 64))  # width, height in pixels

# By the place that is asked for. As many wordings a question as there are groups of orders, see `_groups_of_orders`.
QUESTIONS = (
    ("Which colour comes first?", "Name the colour at the start", "第一种颜色是哪一种？"),
    ("Which colour comes last?", "Name the colour at the end", "最后一种颜色是哪一种？"),
)
TAGS = ("ball", "noise", "demo", "short", "drawn", "practice", "小球", "练习")  # say nothing about the answer


@dataclasses.dataclass(frozen=True)
class DrawnClip:
    """A row of the manifest, and what is drawn for it."""

    path: str
    label: str
    title: str
    tags: str
    split: str
    source: str
    order: tuple[str, ...]
    seed: tuple[int, ...]


def draw_demo(folder: str | Path, *, rounds: Mapping[str, int] = ROUNDS, seed: int = 0) -> Path:
    """Draws the demo clips (mp4, about 2 s each) and their manifest; a folder that holds them already is kept.

    Args:
        folder: Is made; appears only when all is drawn.
        rounds: Of each split; a round is 24 clips, every order of the colours with every question.
        seed: Equal seeds give the same manifest, byte for byte, and the same frames.

    Returns:
        The path of the manifest, `FOLDER/clips.csv`.

    Raises:
        InputError: The folder holds something else, or `rounds` or `seed` cannot be used.
    """
    folder = Path(folder).resolve()
    clips = plan_clips(rounds, seed)
    if folder.exists():
        if _holds(folder, clips):
            return folder / MANIFEST_NAME
        if not folder.is_dir() or any(folder.iterdir()):
            raise InputError(
                f"{folder}: expected a new folder, or one with the demo clips of seed {seed} and "
                f"{len(clips)} clips. Received: one with other content; name another folder or delete it"
            )
    with atomic_folder(folder) as beside:
        (beside / "videos").mkdir()
        for clip in track(clips, "drawing", len(clips)):
            _draw_clip(clip, beside / clip.path)
            _write_sidecar(clip, beside / clip.path)
        (beside / MANIFEST_NAME).write_bytes(_manifest(clips))
    return folder / MANIFEST_NAME


def chance_levels() -> dict[str, float]:
    """The accuracy that the best model can expect when one thing is taken from it, worked out from the design."""
    orders = itertools.permutations(COLORS_RGB, NUM_PLACES)
    design = [(order, place, order[place]) for order in orders for place in range(NUM_PLACES)]
    return {
        "without_text": _best_accuracy([(order, answer) for order, _, answer in design]),
        "without_frames": _best_accuracy([(place, answer) for _, place, answer in design]),
        "shuffled_frames": _best_accuracy([((place, frozenset(order)), answer) for order, place, answer in design]),
    }


def plan_clips(rounds: Mapping[str, int] = ROUNDS, seed: int = 0) -> list[DrawnClip]:
    """What `draw_demo` draws, split by split; within a split in random order.

    Raises:
        InputError: `rounds` or `seed` cannot be used.
    """
    if set(rounds) - set(ROUNDS) or not all(0 <= count < 1000 for count in rounds.values()) or not any(rounds.values()):
        raise InputError(f"rounds: expected 0 to 999 for some of {', '.join(ROUNDS)}. Received: {dict(rounds)}")
    if seed < 0:
        raise InputError(f"seed: expected 0 or more. Received: {seed}")
    return [clip for split in ROUNDS for clip in _plan_split(split, rounds.get(split, 0), seed)]


def _plan_split(split: str, num_rounds: int, seed: int) -> list[DrawnClip]:
    split_id = list(ROUNDS).index(split)
    rng = np.random.default_rng([seed, split_id])
    rows = [row for _ in range(num_rounds) for row in _plan_round(rng)]
    clips = []
    for number, row_id in enumerate(rng.permutation(len(rows))):
        order, place, title, tags = rows[row_id]
        name = f"{split}-{number:05d}"
        path = f"videos/{name}.mp4"
        clips.append(
            DrawnClip(path, order[place], title, tags, split, name, order, seed=(seed, split_id, number)),
        )
    return clips


def _plan_round(rng: np.random.Generator) -> list[tuple[tuple[str, ...], int, str, str]]:
    rows = []
    for place, wordings in enumerate(QUESTIONS):
        for group, wording_id in zip(_groups_of_orders(), rng.permutation(len(wordings)), strict=True):
            # Half have none, so that a question alone is something that the model has seen.
            tags = ", ".join(rng.choice(TAGS, size=3, replace=False)) if rng.random() < 0.5 else ""
            rows += [(order, place, wordings[wording_id], tags) for order in group]
    return rows


def _groups_of_orders() -> list[list[tuple[str, ...]]]:
    """The 12 orders in 3 groups of 4, in each of which either place shows every colour once."""
    colors = list(COLORS_RGB)
    return [[(color, colors[(i + shift) % 4]) for i, color in enumerate(colors)] for shift in (1, 2, 3)]


def _best_accuracy(cases: list[tuple[object, str]]) -> float:
    """How often the best answer that depends only on what is known is right; `cases` are (known, answer)."""
    counts = Counter(cases)
    best = {known: max(count for (other, _), count in counts.items() if other == known) for known, _ in cases}
    return sum(best.values()) / len(cases)


def _manifest(clips: list[DrawnClip]) -> bytes:
    columns = ("path", "label", "title", "tags", "split", "source")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([getattr(clip, column) for column in columns] for clip in clips)
    return text.getvalue().encode()


def _holds(folder: Path, clips: list[DrawnClip]) -> bool:
    manifest = folder / MANIFEST_NAME
    return (
        manifest.is_file()
        and manifest.read_bytes() == _manifest(clips)
        and all((folder / clip.path).is_file() for clip in clips)
    )


def _draw_clip(clip: DrawnClip, path: Path) -> None:
    cv2, rng = import_opencv(), np.random.default_rng(clip.seed)
    width, height = FRAME_SIZES[rng.integers(len(FRAME_SIZES))]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), int(rng.integers(12, 17)), (width, height))
    if not writer.isOpened():
        raise InputError(f"cannot write {path}: OpenCV has no mp4v encoder here, or the disk is full")
    background = _background(rng, width, height)
    radius = rng.uniform(0.16, 0.24) * min(width, height)
    # Drawn alike for every part: a duration must not tell its place.
    durations = rng.integers(12, 15) + rng.integers(0, 2, size=len(clip.order))
    for color, duration in zip(clip.order, durations, strict=True):
        color_bgr = np.clip(np.array(COLORS_RGB[color][::-1]) + rng.integers(-18, 19, size=3), 0, 255)
        for center in _ball_path(rng, duration, width, height, radius):
            frame = background + rng.normal(0, 7, background.shape)
            frame = np.clip(frame, 0, 255).astype(np.uint8)
            cv2.circle(frame, center, round(radius), color_bgr.tolist(), thickness=-1, lineType=cv2.LINE_AA)
            writer.write(frame)
    writer.release()


def _write_sidecar(clip: DrawnClip, path: Path) -> None:
    """The words beside the video, where `predict` finds them without a manifest."""
    words = json.dumps({"title": clip.title, "tags": clip.tags}, ensure_ascii=False)
    path.with_suffix(".json").write_text(words + "\n", encoding="utf-8")


def _background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Soft grey patches of a random brightness, float [height, width, 3]."""
    cv2 = import_opencv()
    patches = rng.uniform(60, 190) + rng.normal(0, 25, (5, 5, 1)) + rng.normal(0, 4, (5, 5, 3))
    return cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)


def _ball_path(
    rng: np.random.Generator, num_frames: int, width: int, height: int, radius: float
) -> list[tuple[int, int]]:
    """Centres (x, y) along a bent line inside the picture, one a frame."""
    room = np.array([width, height]) - 2 * radius
    start, bend, end = (radius + rng.random(2) * room for _ in range(3))
    t = np.linspace(0, 1, num_frames)[:, np.newaxis]
    # A quadratic Bezier curve stays within the triangle of its three points.
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    return [(round(x), round(y)) for x, y in points]
