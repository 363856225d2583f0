"""A video file -> the frames that stand for one clip of it.

Neither the container's frame count nor seeking is trusted: both are known to be off by frames. The video is read once,
front to back, keeping the frames that the claimed length makes likely. Then the timestamps that were read decide which
frames it is, and only where the guess was wrong is it read again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import Claims, Reading, VideoReader
from vidmodel_tf.video.opencv import decoder_version, import_opencv, silence_decoder
from vidmodel_tf.video.sampling import frames_at, sample_times, without_rounding

__all__ = ["ClipRequest", "DecodedClip", "decoder_version", "read_clip", "silence_decoder"]


@dataclass(frozen=True)
class ClipRequest:
    """Which frames of which video, and how they are stored.

    A clip is cut into `num_frames` equal parts; the frame on display at the centre of each part stands for it.

    Args:
        path: A file that FFmpeg reads as a video. Rotation metadata is obeyed (mirroring is not).
        num_frames: N.
        short_side: Pixels. Larger frames are reduced to it by area interpolation, their aspect kept. Smaller ones
            stay as they are: enlarged, they would take more bytes and tell no more.
        jpeg_quality: 1 to 100.
        start_seconds: None: the start of the video.
        end_seconds: None, or beyond the end: the end of the video.
        slots: Which of the N frames are wanted, each 0 to N - 1, increasing; None: all of them. A frame is the same,
            byte for byte, whichever others are wanted with it.
    """

    path: str | os.PathLike[str]
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


def read_clip(request: ClipRequest) -> DecodedClip:
    """Decodes the frames that are requested.

    Raises:
        InputError: The file cannot be read as a video, or less than half of it can, or the range lies outside of it.
    """
    _check_request(request)
    start_seconds = 0.0 if request.start_seconds is None else request.start_seconds
    end_seconds = math.inf if request.end_seconds is None else request.end_seconds
    slots = range(request.num_frames) if request.slots is None else request.slots
    path = Path(request.path).absolute()  # not resolved: a message names a link as the user did
    _check_file(path)
    reader = VideoReader(path, request.short_side, request.jpeg_quality)
    try:
        likely_frames = _likely_frames(start_seconds, end_seconds, request.num_frames, slots)
        reading = reader.read(likely_frames, end_seconds)
        _check_reading(path, reading)
        return _select(reader, reading, start_seconds, end_seconds, request.num_frames, slots)
    except import_opencv().error as error:
        raise InputError(f"{path}: OpenCV cannot decode this video ({' '.join(str(error).split())})") from None


def _likely_frames(
    start_seconds: float, end_seconds: float, num_frames: int, slots: Sequence[int]
) -> Callable[[Claims], set[int]]:
    def choose_frames(claims: Claims) -> set[int]:
        end = min(end_seconds, claims.duration_seconds)
        if not start_seconds < end:
            return set()
        # A sample time at the very start of a frame must not fall to the frame before by float rounding.
        indices = np.floor(sample_times(start_seconds, end, num_frames)[list(slots)] * claims.fps + 1e-6)
        return {int(index) for index in indices}

    return choose_frames


def _select(
    reader: VideoReader,
    reading: Reading,
    start_seconds: float,
    end_seconds: float,
    num_frames: int,
    slots: Sequence[int],
) -> DecodedClip:
    times = without_rounding(reading.display_times())
    frame_seconds = times[-1] / (len(times) - 1) if len(times) > 1 else reading.claims.frame_seconds
    video_seconds = float(times[-1] + frame_seconds)
    if start_seconds >= video_seconds:
        raise InputError(
            f"{reader.path}: start_seconds: expected less than the {video_seconds:.3f} seconds that the video lasts. "
            f"Received: {start_seconds}"
        )
    end_seconds = min(end_seconds, video_seconds)
    wanted_times = sample_times(start_seconds, end_seconds, num_frames)[list(slots)]
    indices = frames_at(times, wanted_times).tolist()
    reader.read_missing(indices, reading)
    return DecodedClip(
        jpeg_frames=tuple(reading.jpegs[index] for index in indices),
        timestamps_seconds=tuple(times[indices].tolist()),
        duration_seconds=end_seconds - start_seconds,
        fps=float(1 / frame_seconds),
        width=reading.width,
        height=reading.height,
    )


def _check_request(request: ClipRequest) -> None:
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


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: expected a video. There is no such file")
    if not path.is_file():  # opening a named pipe would wait for ever
        raise InputError(f"{path}: expected a video. It is {'a folder' if path.is_dir() else 'no regular file'}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: expected a video. The file is empty")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: expected a video. The file may not be read (permissions)")


def _check_reading(path: Path, reading: Reading) -> None:
    num_read, claims = len(reading.timestamps_seconds), reading.claims
    if num_read == 0:
        raise InputError(
            f"{path}: no frame of this video can be decoded (codec {claims.codec or 'unknown'}): it is damaged, or "
            "OpenCV has no decoder for it; convert it to H.264"
        )
    # Count and duration must both fall short: Matroska's count is made up from the duration, which at a variable
    # rate gives many more frames than there are, and the duration counts from zero, not from the first frame.
    read_seconds = reading.start_seconds + float(reading.display_times()[-1]) + claims.frame_seconds
    is_half = 2 * num_read >= claims.num_frames or 2 * read_seconds >= claims.duration_seconds
    if reading.reached_end and not is_half:
        raise InputError(
            f"{path}: only {num_read} of the {claims.num_frames:.0f} frames that the file claims to have can be read: "
            "it is cut off or damaged"
        )
