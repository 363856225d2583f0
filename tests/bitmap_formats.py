"""Pictures of words as subtitle packets of Blu-ray discs (PGS), DVB and DVDs, written by hand from their standards.

A picture is palette indices, uint8 [H, W]: `BACKGROUND`, `OUTLINE` (or the box around the letters) and `LETTERS`.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator

import numpy as np

BACKGROUND, OUTLINE, LETTERS = 0, 1, 2
Place = tuple[int, int, int, int]
"""Width and height of the video, and left and top of the picture in it."""


def pgs_packet(picture: np.ndarray | None, place: Place, seconds: float, number: int) -> bytes:
    """Blu-ray: shows a picture until the next packet, or (None) nothing.

    Args:
        picture: What is shown.
        place: Where.
        seconds: For how long; not in this format.
        number: Of the packet.
    """
    video, (left, top) = struct.pack(">HHB", *place[:2], 0x10), place[2:]
    if picture is None:
        return _pgs_segment(0x16, video + struct.pack(">HBBBB", number, 0, 0, 0, 0)) + _pgs_segment(0x80, b"")
    height, width = picture.shape
    composition = video + struct.pack(">HBBBBHBBHH", number, 0x80, 0, 0, 1, 0, 0, 0, left, top)
    window = struct.pack(">BBHHHH", 1, 0, left, top, width, height)
    palette = bytes([0, 0, OUTLINE, 16, 128, 128, 255, LETTERS, 235, 128, 128, 255])
    runs = b"".join(_pgs_run(*run) for row in picture for run in (*_runs(row), (0, 0)))
    image = struct.pack(">HBB", 0, 0, 0xC0) + (len(runs) + 4).to_bytes(3) + struct.pack(">HH", width, height) + runs
    segments = [(0x16, composition), (0x17, window), (0x14, palette), (0x15, image), (0x80, b"")]
    return b"".join(_pgs_segment(kind, data) for kind, data in segments)


def _pgs_segment(kind: int, data: bytes) -> bytes:
    return struct.pack(">BH", kind, len(data)) + data


def _pgs_run(length: int, color: int) -> bytes:
    long, size = (0x40, length.to_bytes(2)) if length > 63 else (0, length.to_bytes(1))
    flags = long | (0x80 if color else 0)
    return b"\0" + bytes([size[0] | flags]) + size[1:] + (bytes([color]) if color else b"")


def dvb_packet(picture: np.ndarray | None, place: Place, seconds: float, number: int) -> bytes:
    """Digital television (ETSI EN 300 743): shows a picture until the next packet, or (None) nothing.

    The region in which the picture stands is as wide as the video. The decoder passes over a page of the same number as
    the one before.

    Args:
        picture: What is shown.
        place: Where.
        seconds: After which a receiver that has missed the next packet takes it away; here twice as long.
        number: Of the packet.
    """
    page = bytes([min(round(2 * seconds) + 1, 255), number % 16 << 4 | 2 << 2])
    if picture is None:
        return _dvb_segment(0x10, page) + _dvb_segment(0x80, b"")
    height, (video_width, _, left, top) = len(picture), place
    clear, black, white = (0, 128, 128, 255), (16, 128, 128, 0), (235, 128, 128, 0)
    entries = [bytes([index, 0x21, *color]) for index, color in enumerate((clear, black, white))]
    region = struct.pack(">BBHHBBBB", 0, 0x08, video_width, height, 3 << 5 | 3 << 2, 0, BACKGROUND, 0)
    fields = [b"".join(_dvb_row(row) for row in picture[first::2]) for first in (0, 1)]
    image = struct.pack(">HBHH", 0, 0, *map(len, fields)) + b"".join(fields)
    segments = [
        (0x10, page + struct.pack(">BBHH", 0, 0, 0, top)),
        (0x11, region + struct.pack(">HHH", 0, left, 0)),
        (0x12, b"\0\0" + b"".join(entries)),
        (0x13, image),
        (0x80, b""),
    ]
    return b"".join(_dvb_segment(kind, data) for kind, data in segments)


def _dvb_segment(kind: int, data: bytes) -> bytes:
    return struct.pack(">BBHH", 0x0F, kind, 1, len(data)) + data


def _dvb_row(row: np.ndarray) -> bytes:
    parts = [(min(length - done, 127), color) for length, color in _runs(row) for done in range(0, length, 127)]
    return b"\x12" + b"".join(_dvb_run(*part) for part in parts) + b"\0\0\xf0"


def _dvb_run(length: int, color: int) -> bytes:
    if color == 0:
        return bytes([0, length])
    return bytes([color]) * length if length < 3 else bytes([0, 0x80 | length, color])


def dvd_packet(picture: np.ndarray | None, place: Place, seconds: float, number: int) -> bytes:
    """DVD (VobSub): shows a picture for a time; None: an empty packet.

    Args:
        picture: What is shown.
        place: Where.
        seconds: For how long.
        number: Of the packet; not in this format.
    """
    if picture is None:
        return b""
    (height, width), (left, top) = picture.shape, place[2:]
    fields = [b"".join(_dvd_row(row) for row in picture[first::2]) for first in (0, 1)]
    first_commands = 4 + sum(map(len, fields))
    area = (left << 12 | left + width - 1).to_bytes(3) + (top << 12 | top + height - 1).to_bytes(3)
    colors_and_opacity = bytes([0x03, 0x02, 0x10, 0x04, 0x0F, 0xF0])  # of the indices 3, 2, 1 and 0
    show = colors_and_opacity + b"\x05" + area + struct.pack(">BHH", 6, 4, 4 + len(fields[0])) + b"\x01\xff"
    last_commands = first_commands + 4 + len(show)
    hide = struct.pack(">HH", round(seconds * 90_000 / 1024), last_commands) + b"\x02\xff"
    data = b"".join(fields) + struct.pack(">HH", 0, last_commands) + show + hide
    return struct.pack(">HH", 4 + len(data), first_commands) + data


def _dvd_row(row: np.ndarray) -> bytes:
    runs = [(min(length - done, 255), color) for length, color in _runs(row) for done in range(0, length, 255)]
    nibbles = "".join(_dvd_run(*run) for run in runs)
    return bytes.fromhex(nibbles + "0" * (len(nibbles) % 2))


def _dvd_run(length: int, color: int) -> str:
    """The longer a run, the more zeros stand before its length."""
    num_nibbles = next(count for count, end in ((1, 4), (2, 16), (3, 64), (4, 256)) if length < end)
    return f"{length << 2 | color:0{num_nibbles}x}"


def _runs(row: np.ndarray) -> Iterator[tuple[int, int]]:
    """(Length, palette index) of the stretches of a row that are one colour."""
    ends = [*(np.flatnonzero(np.diff(row)) + 1).tolist(), len(row)]
    for start, end in itertools.pairwise([0, *ends]):
        yield end - start, int(row[start])


Packet = Callable[[np.ndarray | None, Place, float, int], bytes]
PACKETS: dict[str, Packet] = {
    "hdmv_pgs_subtitle": pgs_packet,
    "dvb_subtitle": dvb_packet,
    "dvd_subtitle": dvd_packet,
}
"""By FFmpeg's name of the format."""
