"""Cuts a range out of a video, to the frame, or without encoding anew."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import av
import av.error
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines.copy_packets import copy_packets
from vidmodel_tf.timelines.cut import Cut
from vidmodel_tf.timelines.sound_between import SoundBetween
from vidmodel_tf.timelines.video_writer import VideoWriter
from vidmodel_tf.timelines.worker_process import Tell, alive
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import TimedPicture, pictures_between
from vidmodel_tf.video.pixels import PixelConverter


def cut_clip(
    video: str | Path, start_seconds: float, end_seconds: float, out: str | Path, *, copy: bool = False
) -> Cut:
    """Writes [start_seconds, end_seconds) of a video as a file of its own, whole or not at all.

    Pictures and sound are encoded anew (H.264, AAC), so that the clip begins and ends where it should; it is upright,
    and each picture is displayed for as long as in the video. Only what lies between the key frame before and the end
    is read.

    Args:
        video: The file.
        start_seconds: As players count: second 0 is where the first stream of the file begins.
        end_seconds: Likewise.
        out: The new file; its suffix names the container (.mp4).
        copy: Takes the packets as they are, which is fast and loses nothing, but begins at the key frame before.

    Raises:
        InputError: The file is not a video, the range is empty or has no picture, or the container cannot hold it.
    """
    video, out = Path(video).absolute(), Path(out)
    if not (math.isfinite(start_seconds) and math.isfinite(end_seconds) and 0 <= start_seconds < end_seconds):
        raise InputError(
            f"expected 0 <= start < end, in seconds. Received: {start_seconds:g} to {end_seconds:g}", subject=video
        )
    if out.exists() and video.exists() and out.samefile(video):
        raise InputError("expected another file to write the cut to. Received: the video itself", subject=video)
    with VideoFile(video) as source:
        return _write_cut(source, start_seconds, end_seconds, out, copy)


def cut_ranges(tell: Tell, video: Path, parts: Sequence[tuple[Path, float, float, bool]]) -> None:
    """Cuts several ranges out of a video, as `cut_clip` does.

    Args:
        tell: Is told, for each range in order, its `Cut` or the `InputError`.
        video: The file.
        parts: The new file, start, end, and whether to copy.

    Raises:
        InputError: The file is not a video.
    """
    # Opened once: the packets of some containers are listed from start to end.
    with VideoFile(video, on_packet=alive(tell)) as source:
        for out, start_seconds, end_seconds, copy in parts:
            try:
                tell(_write_cut(source, start_seconds, end_seconds, out, copy))
            except InputError as error:
                tell(error)


def _write_cut(video: VideoFile, start_seconds: float, end_seconds: float, out: Path, copy: bool) -> Cut:
    with atomic_write(out) as beside, _explaining_container(out):
        cut = (copy_packets if copy else encode_range)(video, start_seconds, end_seconds, beside)
    return dataclasses.replace(cut, path=out)


def encode_range(video: VideoFile, start_seconds: float, end_seconds: float, out: Path) -> Cut:
    """Writes a range of pictures and sound, encoded anew; arguments as those of `copy_packets`."""
    pictures = pictures_between(video, start_seconds, end_seconds)
    return encode_pictures(video, pictures, start_seconds, end_seconds, out)


def encode_pictures(
    video: VideoFile,
    pictures: Iterator[TimedPicture],
    start_seconds: float,
    end_seconds: float,
    out: Path,
    draw: Callable[[np.ndarray, float], np.ndarray] = lambda bgr, seconds: bgr,
) -> Cut:
    """Writes pictures of a range, and its sound, encoded anew; memory is flat.

    Args:
        video: The file.
        pictures: Of the range, at least one.
        start_seconds: Of the range, from the container's second 0.
        end_seconds: Likewise; infinite: to the end of the sound.
        out: The new file.
        draw: What becomes of each picture, uint8 [H, W, 3], upright, given when it is displayed in the video.
    """
    converter, num_frames, last_seconds = PixelConverter(), 0, start_seconds
    first = next(pictures)
    with (
        SoundBetween(video.path, start_seconds, end_seconds) as sound,
        writer_for(video, first.picture, sound, out) as writer,
    ):
        for picture in itertools.chain([first], pictures):
            bgr = draw(converter.to_bgr(picture.picture), picture.start_seconds)
            writer.write(bgr, picture.start_seconds - start_seconds, picture.end_seconds - start_seconds)
            num_frames, last_seconds = num_frames + 1, picture.end_seconds
    return Cut(out, start_seconds, last_seconds, num_frames)


def writer_for(video: VideoFile, picture: av.VideoFrame, sound: SoundBetween, out: Path) -> VideoWriter:
    """For upright pictures of a video, given one of them, and its sound."""
    width, height, aspect = picture.width, picture.height, video.pixel_aspect
    if picture.rotation % 180:
        width, height, aspect = height, width, 1 / aspect
    return VideoWriter(out, (width, height), 1 / video.frame_seconds, aspect, sound.frames())


@contextlib.contextmanager
def _explaining_container(out: Path) -> Iterator[None]:
    """FFmpeg's refusal of a container in our words."""
    try:
        yield
    except (av.error.ArgumentError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"expected a name whose ending is a container for this video: .mp4, or .mkv, which holds any. "
            f"Received: {out.name!r} ({error})"
        ) from error
