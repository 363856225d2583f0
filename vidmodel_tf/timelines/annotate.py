"""A video with what the model says of it drawn in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines.cut_clip import encode_pictures
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.timelines.score_overlay import ScoreOverlay
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import pictures_between

SUFFIX = ".annotated.mp4"


def annotate(video: str | Path, document: Document, out: str | Path) -> None:
    """Writes a video with the scores, the time and the events that are going on drawn in; with its sound.

    Drawn are the classes that score highest anywhere in the video, at most five a head.

    Args:
        video: The file.
        document: Its timeline.
        out: The new file, MP4; whole or not at all.

    Raises:
        InputError: The file is not a video, or `out` is the video itself.
    """
    video, out = Path(video), Path(out)
    if out.exists() and video.exists() and out.samefile(video):
        raise InputError("expected another file to write to. Received: the video itself", subject=video)
    overlays: dict[tuple[int, int], ScoreOverlay] = {}  # a second one only where the size changes within the video

    def draw(bgr: np.ndarray, seconds: float) -> np.ndarray:
        bgr, size = np.ascontiguousarray(bgr), (bgr.shape[1], bgr.shape[0])
        if size not in overlays:
            overlays[size] = ScoreOverlay(document, size)
        overlays[size].draw(bgr, seconds)
        return bgr

    with VideoFile(video) as source, atomic_write(out) as beside:
        pictures = track(pictures_between(source, 0.0), f"drawing into {video.name}", document.video.num_frames)
        encode_pictures(source, pictures, 0.0, math.inf, beside, draw)
