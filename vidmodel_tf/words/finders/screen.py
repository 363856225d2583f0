"""Words in the picture of a video, such as burnt-in subtitles, titles and signs -> cues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import TimedPicture, pictures_between
from vidmodel_tf.video.pixels import PixelConverter
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.ocr import read_lines
from vidmodel_tf.words.picture_change import may_differ, strokes
from vidmodel_tf.words.screen_lines import ScreenLines

VERSION = 2
FIELDS = ("screen_text",)


def find_screen(path: Path, settings: PrepareConfig) -> tuple[Cue, ...]:
    """Each line once, with the time during which it is displayed, to the distance between two pictures.

    Not every picture that is looked at is read, only those in which the strokes of letters may have changed. Clocks
    and numbers are no words. What stands there for the whole video, such as a logo, comes last.

    Args:
        path: The video.
        settings: `screen_frames_per_second`, how many pictures are looked at.

    Raises:
        InputError: The extra is not installed, or the file is not a video.
    """
    lines, last_read = ScreenLines(), np.zeros((0, 0), np.float32)
    for start_seconds, end_seconds, bgr in _looked_at(path, settings.screen_frames_per_second):
        now = strokes(bgr)
        if may_differ(last_read, now):
            lines.add(start_seconds, end_seconds, read_lines(bgr))
            last_read = now
        else:
            lines.extend(start_seconds, end_seconds)
    return tuple(
        Cue(line.start_seconds, line.end_seconds, "screen_text", line.text, "screen") for line in lines.finish()
    )


def _looked_at(path: Path, per_second: float) -> Iterator[tuple[float, float, np.ndarray]]:
    """Pictures at regular times, each with the time up to the next one."""
    converter = PixelConverter()
    with VideoFile(path) as video:
        chosen: TimedPicture | None = None
        next_seconds = end_seconds = 0.0
        for timed in pictures_between(video, 0.0):
            end_seconds = timed.end_seconds
            if timed.end_seconds <= next_seconds and chosen is not None:
                continue
            if chosen is not None:
                yield chosen.start_seconds, timed.start_seconds, converter.to_bgr(chosen.picture)
            chosen = timed
            next_seconds = max(next_seconds, timed.start_seconds) + 1 / per_second
        if chosen is not None:
            yield chosen.start_seconds, end_seconds, converter.to_bgr(chosen.picture)
