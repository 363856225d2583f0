"""Writes pictures with their times, and sound beside them, as a video that every player knows: H.264 and AAC."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
import av.audio.stream
import av.container
import av.packet
import av.video.stream
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

TIME_BASE = Fraction(1, 90_000)
# Hardly to be told from the original. Without pictures out of order, for of these MP4 does not say how long the last is
# displayed.
OPTIONS = {"crf": "20", "preset": "veryfast", "bf": "0"}
FASTEST_RATE = 240


def open_output(path: Path) -> av.container.OutputContainer:
    """Opens a new video file; MP4 gets its index at the front, so that it plays while it is loaded."""
    options = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".m4v", ".mov") else {}
    return av.open(str(path), "w", options=options)


class VideoWriter:
    """One file that is being written. A context manager that finishes it; memory is flat.

    Args:
        path: Where; the suffix names the container.
        size: (width, height) of the pictures; odd ones are made even.
        rate: Frames a second, about; their times are those given with them.
        pixel_aspect: Width of a pixel by its height.
        sound: Frames for AAC with their times from second 0, or none.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], rate: float, pixel_aspect: Fraction, sound: Iterator[av.AudioFrame]
    ) -> None:
        self._container = open_output(path)
        self._video = self._add_video(size, rate, pixel_aspect)
        self._reformatter = VideoReformatter()
        self._durations: dict[int | None, int] = {}
        self._sound = sound
        self._next_sound = next(sound, None)
        self._audio = None if self._next_sound is None else self._add_audio(self._next_sound)

    def write(self, bgr: np.ndarray, start_seconds: float, end_seconds: float) -> None:
        """Adds one picture.

        Args:
            bgr: uint8 [H, W, 3].
            start_seconds: From second 0 of what is written; later than the one before.
            end_seconds: When the next one comes.
        """
        self._write_sound(start_seconds)
        frame = self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(bgr), format="bgr24"),
            self._video.width,
            self._video.height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
            threads=1,
        )
        pts = round(start_seconds / TIME_BASE)
        frame.pts, frame.time_base = pts, TIME_BASE
        self._durations[pts] = max(round(end_seconds / TIME_BASE) - pts, 1)
        self._mux_video(self._video.encode(frame))

    def close(self) -> None:
        """Finishes the file."""
        self._mux_video(self._video.encode(None))
        self._write_sound(math.inf)
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None:
            self.close()
        else:  # nobody will read the file
            self._container.close()

    def _add_video(self, size: tuple[int, int], rate: float, pixel_aspect: Fraction) -> av.video.stream.VideoStream:
        rounded = Fraction(min(max(rate, 1), FASTEST_RATE)).limit_denominator(1001)
        video = self._container.add_stream("libx264", rate=rounded, options=dict(OPTIONS))
        video.width, video.height = (side + side % 2 for side in size)  # 4:2:0 has even sides only
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.time_base = video.time_base = TIME_BASE
        context.sample_aspect_ratio = pixel_aspect
        # Said, so that no player has to guess it from the size.
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return video

    def _add_audio(self, first: av.AudioFrame) -> av.audio.stream.AudioStream:
        return self._container.add_stream("aac", rate=first.sample_rate, layout=first.layout.name)

    def _mux_video(self, packets: list[av.packet.Packet]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)  # encoders forget it
            self._container.mux(packet)

    def _write_sound(self, until_seconds: float) -> None:
        """Beside the pictures, so that nothing has to be kept until the other comes."""
        while self._audio is not None and self._next_sound is not None:
            if (self._next_sound.time or 0.0) > until_seconds:
                return
            self._container.mux(self._audio.encode(self._next_sound))
            self._next_sound = next(self._sound, None)
