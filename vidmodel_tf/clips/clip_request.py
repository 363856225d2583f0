"""Which frames of a video are wanted, and what comes back."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from vidmodel_tf.errors import InputError
from vidmodel_tf.remote.store import RemoteFile


@dataclass(frozen=True)
class ClipRequest:
    """Which frames of which video, and how they are stored.

    A clip is cut into `num_frames` equal parts; the frame on display at the centre of each part stands for it.

    Args:
        path: A file that FFmpeg reads as a video, on a disk or in a store. Rotation metadata is obeyed (mirroring is
            not).
        num_frames: N.
        short_side: Pixels. Larger frames are reduced to it by area interpolation, their aspect kept. Smaller ones
            stay as they are: enlarged, they would take more bytes and tell no more.
        jpeg_quality: 1 to 100.
        start_seconds: On the clock that players and subtitle files use: 0 is the start of the earliest stream of the
            file. None: the first picture.
        end_seconds: Likewise. None, or beyond the end: the end of the last picture.
        slots: Which of the N frames are wanted, each 0 to N - 1, increasing; None: all of them. A frame is the same,
            byte for byte, whichever others are wanted with it.
    """

    path: str | os.PathLike[str] | RemoteFile
    num_frames: int
    short_side: int
    jpeg_quality: int
    start_seconds: float | None = None
    end_seconds: float | None = None
    slots: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DecodedClip:
    """The frames that stand for a clip.

    Args:
        jpeg_frames: JPEGs in display order, upright, one for each slot that was wanted (all N where none was named);
            repeated where the clip has fewer frames.
        timestamps_seconds: Of each of these frames, non-decreasing, from the first picture of the video; a constant
            rate without its rounding.
        duration_seconds: Of the clip.
        fps: Average, as measured on what was decoded.
        width: Pixels, upright, of the video (not of the JPEGs).
        height: Likewise.
        warnings: One line each: what of the video could not be decoded, and what was assumed about its times.
    """

    jpeg_frames: tuple[bytes, ...]
    timestamps_seconds: tuple[float, ...]
    duration_seconds: float
    fps: float
    width: int
    height: int
    warnings: tuple[str, ...] = ()


def check_request(request: ClipRequest) -> None:
    """Refuses what no video could answer.

    Raises:
        InputError: A number is out of range.
    """
    num_frames, slots = request.num_frames, request.slots
    if num_frames < 1:
        raise InputError(f"num_frames: expected 1 or more. Received: {num_frames}")
    if slots is not None and not (slots and list(slots) == sorted({slot for slot in slots if 0 <= slot < num_frames})):
        raise InputError(f"slots: expected increasing numbers from 0 to {num_frames - 1}. Received: {slots}")
    if request.short_side < 1:
        raise InputError(f"short_side: expected 1 pixel or more. Received: {request.short_side}")
    if not 1 <= request.jpeg_quality <= 100:
        raise InputError(f"jpeg_quality: expected 1 to 100. Received: {request.jpeg_quality}")
    start_seconds = request.start_seconds or 0.0
    if not 0 <= start_seconds < math.inf:  # also refuses NaN
        raise InputError(f"start_seconds: expected 0 or more. Received: {start_seconds}")
    if request.end_seconds is not None and not request.end_seconds > start_seconds:
        raise InputError(
            f"end_seconds: expected more than start_seconds={start_seconds}. Received: {request.end_seconds}"
        )
