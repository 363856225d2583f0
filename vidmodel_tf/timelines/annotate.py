"""A video with what the model says of it drawn in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines.cut_clip import encode_pictures
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.timelines.score_overlay import ScoreOverlay
from vidmodel_tf.timelines.worker_process import Tell, WorkerProcess, alive
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import pictures_between

SUFFIX = ".annotated.mp4"


def draw_scores(tell: Tell, video: Path, document: Document, out: Path) -> None:
    """Draws into every picture of a video.

    Args:
        tell: Is told None for each picture, and True when the file is whole.
        video: The file.
        document: Its timeline.
        out: The new file.
    """
    overlays: dict[tuple[int, int], ScoreOverlay] = {}  # a second one only where the size changes within the video

    def draw(bgr: np.ndarray, seconds: float) -> np.ndarray:
        tell(None)
        bgr, size = np.ascontiguousarray(bgr), (bgr.shape[1], bgr.shape[0])
        if size not in overlays:
            overlays[size] = ScoreOverlay(document, size)
        overlays[size].draw(bgr, seconds)
        return bgr

    with VideoFile(video, on_packet=alive(tell)) as source:
        encode_pictures(source, pictures_between(source, 0.0), 0.0, math.inf, out, draw)
    tell(True)


def annotate(
    video: str | Path,
    document: Document,
    out: str | Path,
    *,
    timeout_seconds: float = PrepareConfig().timeout_seconds,
    draw: Callable[..., None] = draw_scores,
) -> None:
    """Writes a video with the scores, the time and the events that are going on drawn in; with its sound.

    Drawn are the classes that score highest anywhere in the video, at most five a head. The video is decoded in a
    process of its own.

    Args:
        video: The file.
        document: Its timeline.
        out: The new file, MP4; whole or not at all.
        timeout_seconds: A decoder that gives no picture for so long is ended.
        draw: What the process does; a function that can be imported.

    Raises:
        InputError: The file is not a video, its decoder hangs or crashes, or `out` is the video itself.
    """
    video, out = Path(video), Path(out)
    if out.exists() and video.exists() and out.samefile(video):
        raise InputError("expected another file to write to. Received: the video itself", subject=video)
    with (
        atomic_write(out) as beside,
        WorkerProcess(video, timeout_seconds, draw, video, document, beside) as worker,
    ):
        for _ in track(_until_done(worker), f"drawing into {video.name}", document.video.num_frames):
            pass


def _until_done(worker: WorkerProcess) -> Iterator[None]:
    while worker.receive() is None:  # a picture
        yield None
