"""Test videos in which every frame carries its number, painted so large that no codec loses it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

GRID_ROWS, GRID_COLUMNS = 3, 4  # one block a bit, the highest at the top left: numbers 0 to 4095
WHITE = (255, 255, 255)


def paint_frame(number: int, size: tuple[int, int] = (96, 72), color: tuple[int, int, int] = WHITE) -> np.ndarray:
    """A frame that shows `number`: blocks of `color` (bit 1) and black (bit 0).

    Args:
        number: 0 to 4095.
        size: (width, height), at least 16 pixels each.
        color: RGB; its largest channel must be 255.

    Returns:
        uint8 [H, W, 3], RGB.
    """
    bits = [(number >> shift) & 1 for shift in reversed(range(GRID_ROWS * GRID_COLUMNS))]
    blocks = np.array(bits, np.uint8).reshape(GRID_ROWS, GRID_COLUMNS)
    width, height = size
    rows = np.arange(height) * GRID_ROWS // height
    columns = np.arange(width) * GRID_COLUMNS // width
    return blocks[rows[:, None], columns][..., None] * np.array(color, np.uint8)


def read_frame_number(rgb: np.ndarray) -> int:
    """The number that `paint_frame` painted, from a frame [H, W, 3] (or grey [H, W]) of any size."""
    brightest = rgb.max(axis=-1) if rgb.ndim == 3 else rgb
    height, width = brightest.shape
    number = 0
    for row in range(GRID_ROWS):
        for column in range(GRID_COLUMNS):
            y = (2 * row + 1) * height // (2 * GRID_ROWS)
            x = (2 * column + 1) * width // (2 * GRID_COLUMNS)
            middle = brightest[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            number = 2 * number + int(middle.mean() > 127)
    return number


def read_jpeg(jpeg: bytes) -> np.ndarray:
    """A JPEG as uint8 [H, W, 3], RGB."""
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)


def frame_numbers(jpeg_frames: Iterable[bytes]) -> list[int]:
    """The numbers painted into JPEG frames."""
    return [read_frame_number(read_jpeg(jpeg)) for jpeg in jpeg_frames]


def write_video(
    path: str | Path,
    num_frames: int = 40,
    fps: float = 25.0,
    size: tuple[int, int] = (96, 72),
    color: tuple[int, int, int] = WHITE,
    first_number: int = 0,
) -> Path:
    """Writes a video of constant rate by OpenCV: MJPG into .avi, VP8 into .webm, mp4v into anything else.

    Frame i shows the number `first_number + i`. Returns the path.
    """
    path = Path(path)
    four_characters = {".avi": "MJPG", ".webm": "VP80"}.get(path.suffix, "mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*four_characters), fps, size)
    if not writer.isOpened():
        raise RuntimeError(f"OpenCV cannot write {path} as {four_characters}")
    for number in range(first_number, first_number + num_frames):
        writer.write(cv2.cvtColor(paint_frame(number, size, color), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_timed_video(
    path: str | Path,
    times_seconds: Iterable[float],
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (96, 72),
    time_base: Fraction = Fraction(1, 90_000),
    rotation_degrees: int = 0,
    options: dict[str, str] | None = None,
    frames: Iterable[np.ndarray] | None = None,
    container_options: dict[str, str] | None = None,
    last_seconds: float | None = None,
) -> Path:
    """Writes a video by PyAV whose frame i shows the number i and is displayed from `times_seconds[i]`.

    Args:
        path: Its suffix names the container.
        times_seconds: Increasing, of any start and any spacing.
        codec, pixel_format, options: As FFmpeg's encoder calls them (`{"bf": "2"}`: two B-frames).
        size: (width, height) as stored, before the rotation.
        time_base: The stream's unit of time; a container may replace it by its own.
        rotation_degrees: Counter-clockwise turn that a player is told to make before display.
        frames: uint8 [H, W, 3], RGB, in place of the painted numbers.
        container_options: Options of FFmpeg's muxer.
        last_seconds: How long the last frame is displayed; None: as long as the average one.
    """
    times_seconds = list(times_seconds)
    span_seconds = times_seconds[-1] - times_seconds[0]
    average_seconds = span_seconds / (len(times_seconds) - 1) if len(times_seconds) > 1 else 1 / 30
    ends_seconds = [*times_seconds[1:], times_seconds[-1] + (last_seconds or average_seconds)]
    if frames is None:
        frames = (paint_frame(number, size) for number in range(len(times_seconds)))
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], pixel_format
        stream.codec_context.time_base = stream.time_base = time_base
        if rotation_degrees:
            stream.set_display_rotation(rotation_degrees)
        durations: dict[int, int] = {}
        for rgb, seconds, end_seconds in zip(frames, times_seconds, ends_seconds, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = round(seconds / time_base), time_base
            durations[frame.pts] = round(end_seconds / time_base) - frame.pts
            mux_with_durations(container, stream.encode(frame), durations)
        mux_with_durations(container, stream.encode(None), durations)
    return Path(path)


def mux_with_durations(container: av.container.OutputContainer, packets: list[av.Packet], durations: dict) -> None:
    """Writes packets; encoders forget how long a picture is displayed."""
    for packet in packets:
        packet.duration = durations.get(packet.pts, 0)
        container.mux(packet)
