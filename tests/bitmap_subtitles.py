"""Test videos with a track of subtitles as pictures (PGS, as on Blu-ray discs), written by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.videos import paint_frame

SIZE = (640, 360)
CLOCK = 90_000
BACKGROUND, OUTLINE, LETTERS = 0, 1, 2  # indices into the palette


def letters(text: str, font: Path, size: int = 28) -> np.ndarray:
    """Outlined letters as palette indices, uint8 [H, W]."""
    face = ImageFont.truetype(str(font), size, index=2)
    left, top, right, bottom = (round(value) for value in face.getbbox(text, stroke_width=2))
    image = Image.new("L", (right - left + 4, bottom - top + 4), BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "1"  # without greys
    draw.text((2 - left, 2 - top), text, OUTLINE, face, stroke_width=2, stroke_fill=OUTLINE)
    draw.text((2 - left, 2 - top), text, LETTERS, face)
    return np.array(image)


def write_with_bitmaps(path: Path, subtitles: Sequence[tuple[float, float, np.ndarray]], num_frames: int = 50) -> Path:
    """Writes a Matroska file of 10 frames a second.

    Args:
        path: Of the file.
        subtitles: (start, end in seconds, palette indices) of each.
        num_frames: Of the video.
    """
    sup = path.with_suffix(".sup")
    sup.write_bytes(b"".join(_show(start, picture) + _hide(end) for start, end, picture in subtitles))
    with av.open(str(sup)) as source, av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        track = container.add_stream_from_template(source.streams.subtitles[0])
        track.metadata["language"] = "eng"
        packets = []
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(paint_frame(number, SIZE), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            packets += video.encode(frame)
        packets += video.encode(None)
        for packet in source.demux(source.streams.subtitles[0]):
            if packet.size:
                packet.stream = track
                packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.pts * packet.time_base):
            container.mux(packet)
    return path


def _show(seconds: float, picture: np.ndarray) -> bytes:
    height, width = picture.shape
    left, top = (SIZE[0] - width) // 2, SIZE[1] - height - 20
    composition = struct.pack(">HHBHBBBB", *SIZE, 0x10, 1, 0x80, 0, 0, 1) + struct.pack(">HBBHH", 0, 0, 0, left, top)
    window = struct.pack(">BBHHHH", 1, 0, left, top, width, height)
    palette = bytes([0, 0]) + b"".join(bytes(entry) for entry in ((1, 16, 128, 128, 255), (2, 235, 128, 128, 255)))
    runs = b"".join(_runs(row) for row in picture)
    image = struct.pack(">HBB", 0, 0, 0xC0) + (len(runs) + 4).to_bytes(3) + struct.pack(">HH", width, height) + runs
    segments = [(0x16, composition), (0x17, window), (0x14, palette), (0x15, image), (0x80, b"")]
    return b"".join(_segment(seconds, kind, data) for kind, data in segments)


def _hide(seconds: float) -> bytes:
    composition = struct.pack(">HHBHBBBB", *SIZE, 0x10, 2, 0, 0, 0, 0)
    return _segment(seconds, 0x16, composition) + _segment(seconds, 0x80, b"")


def _segment(seconds: float, kind: int, data: bytes) -> bytes:
    return b"PG" + struct.pack(">IIBH", round(seconds * CLOCK), 0, kind, len(data)) + data


def _runs(row: np.ndarray) -> bytes:
    """A row in PGS's run lengths; a row ends with two zeros."""
    ends = [*(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    data, start = b"", 0
    for end in ends:
        length, color = end - start, int(row[start])
        long, size = (0x40, length.to_bytes(2)) if length > 63 else (0, length.to_bytes(1))
        flags = long | (0x80 if color else 0)
        data += b"\0" + bytes([size[0] | flags]) + size[1:] + (bytes([color]) if color else b"")
        start = end
    return data + b"\0\0"
