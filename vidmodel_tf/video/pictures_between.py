"""Every picture of a range of a video file with its time on display, decoded from the key frame before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.packets import Packets
from vidmodel_tf.video.runs import Run
from vidmodel_tf.video.sampling import ROUNDING_SHARE
from vidmodel_tf.video.timeline import Timeline

TOLERANCE_SECONDS = 0.001  # to which events are rounded; containers round to their ticks
NOTICED_SECONDS = 0.1  # without a picture at the start of a range; a frame of a usual rate is shorter
MAX_EARLIER_KEYS = 3  # from which decoding is tried again where a key frame does not give the picture that is wanted


@dataclass(frozen=True, eq=False)
class TimedPicture:
    """A picture and when it is displayed, from the container's second 0, half open.

    Args:
        start_seconds: Not before the start of the range.
        end_seconds: When the next picture comes, not after the end of the range.
        picture: As decoded: neither upright nor converted.
    """

    start_seconds: float
    end_seconds: float
    picture: av.VideoFrame


def pictures_between(video: VideoFile, start_seconds: float, end_seconds: float = math.inf) -> Iterator[TimedPicture]:
    """The pictures of [start_seconds, end_seconds) in display order; memory is flat.

    These are the pictures that come within the range. Where the first of them comes noticeably after its start
    (a still picture, a variable rate), the one on display at the start stands before it. A picture that cannot be
    decoded leaves the one before it on display.

    Args:
        video: The file.
        start_seconds: From the container's second 0, as players count.
        end_seconds: Likewise; infinite: to the end of the video.

    Raises:
        InputError: No picture is on display in the range.
    """
    packets = list_range(video, start_seconds, end_seconds)
    timeline = video.timeline(packets)
    first, end = choose_pictures(video, timeline, start_seconds, end_seconds)
    pictures = _decode(video, packets, timeline, first, end)
    index, picture = next(pictures, (0, None))
    if picture is None:
        raise InputError("no picture of this range can be decoded: it is damaged or cut off", subject=video.path)
    last_seconds = min(end_of(timeline, end), end_seconds)
    for next_index, next_picture in pictures:
        yield _timed(timeline, index, float(timeline.seconds[next_index]), start_seconds, picture)
        index, picture = next_index, next_picture
    yield _timed(timeline, index, last_seconds, start_seconds, picture)


def list_range(video: VideoFile, start_seconds: float, end_seconds: float) -> Packets:
    """The packets that a range is decoded from, at least; all of the file where its index does not lead there."""
    packets = video.list_packets_between(start_seconds, end_seconds) if video.leads_to(end_seconds) else None
    return video.packets if packets is None else packets


def choose_pictures(video: VideoFile, timeline: Timeline, start_seconds: float, end_seconds: float) -> tuple[int, int]:
    """The numbers of the pictures of a range in `timeline`, half open, as `pictures_between` describes them.

    Raises:
        InputError: No picture is on display in the range.
    """
    if not len(timeline.keys):
        raise InputError("no frame of this video can be decoded: it is damaged or cut off", subject=video.path)
    first_seconds, video_seconds = float(timeline.seconds[0]), end_of(timeline, len(timeline.keys))
    if end_seconds <= first_seconds or start_seconds >= video_seconds:
        raise InputError(
            f"expected a range within the {first_seconds:.3f} to {video_seconds:.3f} seconds at which there are "
            f"pictures. Received: {start_seconds:g} to {end_seconds:g} seconds",
            subject=video.path,
        )
    tolerance = min(TOLERANCE_SECONDS + timeline.tick_seconds, ROUNDING_SHARE * timeline.average_seconds)
    first, end = np.searchsorted(timeline.seconds, (start_seconds - tolerance, end_seconds - tolerance)).tolist()
    if first and (first == end or timeline.seconds[first] - start_seconds > NOTICED_SECONDS):
        first -= 1
    return first, max(end, first + 1)


def end_of(timeline: Timeline, end: int) -> float:
    """When the last of the pictures before number `end` is over, from the container's second 0."""
    if end < len(timeline.seconds):
        return float(timeline.seconds[end])
    return float(timeline.seconds[0]) + timeline.duration_seconds


def _timed(
    timeline: Timeline, index: int, end_seconds: float, range_start: float, picture: av.VideoFrame
) -> TimedPicture:
    return TimedPicture(max(float(timeline.seconds[index]), range_start), end_seconds, picture)


def _decode(
    video: VideoFile, packets: Packets, timeline: Timeline, first: int, end: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    if not packets.has_trusted_times:
        yield from itertools.islice(enumerate(video.decode(packets, 0)), first, end)
        return
    first_key, last_key = int(timeline.keys[first]), int(timeline.keys[end - 1])
    for picture in _from_key_frame(video, packets, first_key, last_key):
        if picture.pts is not None and picture.pts <= last_key:
            yield int(np.searchsorted(timeline.keys, picture.pts)), picture


def _from_key_frame(video: VideoFile, packets: Packets, first_key: int, last_key: int) -> Iterator[av.VideoFrame]:
    """Pictures from the first that is wanted on; begun a key frame earlier where the last one does not give it."""
    rows = np.flatnonzero(~packets.is_hidden & (packets.pts >= first_key) & (packets.pts <= last_key))
    first_row = packets.key_row(int(rows[packets.pts[rows] == first_key][0])) or 0
    run = Run(first_row, int(rows[-1]) + 1)
    for earlier in range(MAX_EARLIER_KEYS + 1):
        pictures = (
            picture
            for picture in video.decode(packets, run.first_row, run.end_row)
            if picture.pts is not None and picture.pts >= first_key
        )
        first = next(pictures, None)
        is_it = first is not None and first.pts == first_key
        if is_it or not run.first_row or earlier == MAX_EARLIER_KEYS:
            yield from pictures if first is None else itertools.chain([first], pictures)
            return
        run = run.from_earlier(packets)
