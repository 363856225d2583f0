"""Subtitle tracks made of pictures (Blu-ray's PGS, DVB, DVD) -> cues."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any, cast

import av.error
import cv2
import numpy as np
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import BitmapSubtitle, SubtitleSet

from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.ocr import read_lines
from vidmodel_tf.words.track_packets import track_packets

MARGIN = 30  # pixels around the letters, without which the first and the last are not found
THICK = 0.25  # of a picture's height: half of a stroke of letters is thinner
BOX_SHARE = 0.9  # of the pixels next to what is around it: letters without an outline have greys beside them
LONGEST_SECONDS = 10.0  # of a subtitle that does not say how long it is displayed, where none follows
UNTIL_THE_NEXT = (2**32 - 1, (0xFFFF << 10) // 90)  # thousandths of a second: what FFmpeg says then; of DVDs


def bitmap_cues(container: InputContainer, stream: SubtitleStream) -> list[Cue]:
    """The words of a track of pictures, a cue a picture.

    Args:
        container: Opened, nothing read from it.
        stream: One of its tracks.

    Raises:
        InputError: The extra `words` is not installed.
    """
    source = f"tracks:{stream.language or 'und'}"
    displayed = sorted(_displayed(container, stream), key=lambda part: part.start_seconds)
    cues = []
    for part, after in itertools.zip_longest(displayed, displayed[1:]):
        end_seconds = part.end_seconds if after is None else min(part.end_seconds, after.start_seconds)
        lines = [line.text for picture in part.pictures for line in read_lines(picture)]
        if lines:
            cues.append(Cue(part.start_seconds, end_seconds, "subtitles", " ".join(lines), source))
    return cues


@dataclasses.dataclass(frozen=True, eq=False)
class _Displayed:
    """What appears at a time, from top to bottom; no pictures: what was there before goes."""

    start_seconds: float
    end_seconds: float
    pictures: tuple[np.ndarray, ...]


def _displayed(container: InputContainer, stream: SubtitleStream) -> Iterator[_Displayed]:
    for start_seconds, packet in track_packets(container, stream):
        with contextlib.suppress(av.error.FFmpegError):
            found = stream.decode2(packet)
            if found is not None:
                yield _Displayed(start_seconds, start_seconds + _length(found), _pictures(found))


def _length(found: SubtitleSet) -> float:
    if found.end_display_time not in (0, *UNTIL_THE_NEXT):
        return found.end_display_time / 1000
    return LONGEST_SECONDS


def _pictures(found: SubtitleSet) -> tuple[np.ndarray, ...]:
    bitmaps = [item for item in found if isinstance(item, BitmapSubtitle) and item.width and item.height]
    return tuple(_draw(item) for item in sorted(bitmaps, key=lambda item: (item.y, item.x)))


def _draw(item: BitmapSubtitle) -> np.ndarray:
    """White letters on black; uint8 [H, W, 3].

    The palette is not known. The farther away from the background a colour lies on average, the whiter it is drawn: so
    an outline is darker than the letters within it.
    """
    indices = np.frombuffer(cast(Any, item.planes[0]), np.uint8).reshape(item.height, item.width)
    edges = np.concatenate([indices[0], indices[-1], indices[:, 0], indices[:, -1]])
    indices = np.pad(indices, MARGIN, constant_values=int(np.bincount(edges).argmax()))
    distances = _thickness(~_is_background(indices, item.height)).ravel()
    counts = np.bincount(indices.ravel(), minlength=256)
    means = np.bincount(indices.ravel(), distances, minlength=256) / np.maximum(counts, 1)
    whiteness = np.round(255 * means / max(means.max(), 1e-6)).astype(np.uint8)
    return cv2.cvtColor(whiteness[indices], cv2.COLOR_GRAY2BGR)


def _is_background(indices: np.ndarray, height: int) -> np.ndarray:
    """bool [H, W]: the colour at the edges, what is too thick for letters, and a box: all around them, and thicker."""
    colors = [color for color in np.unique(indices) if _thickness(indices == color).max() > THICK * height]
    outside = np.isin(indices, [indices[0, 0], *colors])
    next_to_it = cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~outside
    if not next_to_it.any():
        return outside
    counts = np.bincount(indices[next_to_it])
    around = indices == counts.argmax()
    inside = ~(outside | around)
    is_box = counts.max() >= BOX_SHARE * counts.sum() and _thickness(around).max() > _thickness(inside).max() > 0
    return outside | around if is_box else outside


def _thickness(mask: np.ndarray) -> np.ndarray:
    """float32 [H, W]: the distance to the nearest pixel that is not in it."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
