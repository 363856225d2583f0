"""Test videos with a track of subtitles as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.bitmap_formats import BACKGROUND, LETTERS, OUTLINE, PACKETS
from tests.videos import paint_frame

SIZE = (640, 360)
MILLISECOND = Fraction(1, 1000)
Subtitle = tuple[float, float, np.ndarray]
"""When it is shown from, until when, and its palette indices."""


def outlined(text: str, font: Path, size: int = 28) -> np.ndarray:
    """Outlined letters as palette indices, uint8 [H, W]."""
    face = ImageFont.truetype(str(font), size, index=2)
    left, top, right, bottom = (round(value) for value in face.getbbox(text, stroke_width=2))
    image = Image.new("L", (right - left + 4, bottom - top + 4), BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"  # without greys
    draw.text((2 - left, 2 - top), text, OUTLINE, face, stroke_width=2, stroke_fill=OUTLINE)
    draw.text((2 - left, 2 - top), text, LETTERS, face)
    return np.array(image)


def boxed(text: str, font: Path, size: int = 28) -> np.ndarray:
    """Letters without an outline on a box, as digital television shows them."""
    letters = outlined(text, font, size) == LETTERS
    return np.pad(np.where(letters, LETTERS, OUTLINE).astype(np.uint8), 6, constant_values=OUTLINE)


def write_with_bitmaps(
    path: Path, subtitles: Sequence[Subtitle], codec: str = "hdmv_pgs_subtitle", num_frames: int = 50
) -> Path:
    """Writes a video of 10 frames a second.

    Args:
        path: Its suffix names the container.
        subtitles: In the order of time.
        codec: One of `tests.bitmap_formats.PACKETS`.
        num_frames: Of the video.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        track = container.add_mux_stream(codec)
        track.time_base = MILLISECOND
        track.metadata["language"] = "eng"
        container.start_encoding()
        packets = list(_packets(track, codec, subtitles))
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(paint_frame(number, SIZE), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            packets += video.encode(frame)
        packets += video.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.pts * packet.time_base):
            container.mux(packet)
    return path


def _packets(track, codec: str, subtitles: Sequence[Subtitle]) -> Iterator[av.Packet]:
    starts = {start for start, _, _ in subtitles}
    for number, (start, end, picture) in enumerate(subtitles):
        height, width = picture.shape
        place = (*SIZE, (SIZE[0] - width) // 2, SIZE[1] - height - 20)
        for seconds, shown in ((start, picture), (end, None)):
            data = PACKETS[codec](shown, place, end - start, 2 * number + (shown is None))
            if data and (shown is not None or seconds not in starts):  # the next one replaces it
                packet = av.Packet(data)
                packet.stream, packet.time_base = track, MILLISECOND
                packet.pts = packet.dts = round(seconds * 1000)
                yield packet
