"""The pictures of a video file at a list of times, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.packets import UNKNOWN
from vidmodel_tf.video.sampling import frames_at
from vidmodel_tf.video.timeline import Timeline


def pictures_at(video: VideoFile, times_seconds: np.ndarray, first: int = 0) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decodes a video once and hands out the picture on display at each time.

    Args:
        video: The file.
        times_seconds: float64 [M], increasing, from the container's second 0. Before the first picture it is the
            first, after the last the last.
        first: Times before this one are left out; decoding begins at the key frame before it.

    Yields:
        For each time from `first` on its number and its picture. Where a picture cannot be decoded the one before it
        is displayed on.
    """
    timeline = video.timeline(video.packets)
    if not len(timeline.keys):
        return
    wanted = frames_at(_regular_times(timeline), times_seconds)
    number, last = first, None
    for index, picture in _numbered_pictures(video, timeline, int(wanted[first]) if first < len(wanted) else 0):
        while number < len(wanted) and wanted[number] < index:
            yield number, picture if last is None else last
            number += 1
        while number < len(wanted) and wanted[number] == index:
            yield number, picture
            number += 1
        if number == len(wanted):
            return
        last = picture
    if last is not None:
        for left in range(number, len(wanted)):
            yield left, last


def _regular_times(timeline: Timeline) -> np.ndarray:
    """In the way in which ranges of a file are read, so that both choose the same pictures."""
    origin = float(timeline.seconds[0])
    return origin + timeline.regular_between(0, len(timeline.seconds) - 1, origin)


def _numbered_pictures(video: VideoFile, timeline: Timeline, wanted: int) -> Iterator[tuple[int, av.VideoFrame]]:
    packets = video.packets
    if not packets.has_trusted_times:
        yield from enumerate(video.decode(packets, 0))
        return
    row = np.flatnonzero(packets.pts == timeline.keys[wanted])
    first_row = (packets.key_row(int(row[0])) if len(row) else None) or 0
    for picture in video.decode(packets, first_row):
        pts = UNKNOWN if picture.pts is None else picture.pts
        index = int(np.searchsorted(timeline.keys, pts))
        if index < len(timeline.keys) and timeline.keys[index] == pts:
            yield index, picture
