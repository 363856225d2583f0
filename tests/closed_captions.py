"""Test videos with closed captions (CEA-608), put by hand into the compressed pictures as broadcasters do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av

from tests.videos import paint_frame

FPS = 30
SIZE = (96, 72)
LOAD, ROLL_UP, ERASE, NEW_LINE, SHOW = (0x14, 0x20), (0x14, 0x25), (0x14, 0x2C), (0x14, 0x2D), (0x14, 0x2F)
ERASE_LOADED, LAST_ROW = (0x14, 0x2E), (0x14, 0x70)
NOTHING = (0, 0)
# Of H.264 NAL units and of MPEG-2: in them is the picture itself, behind all headers.
SLICES = {"libx264": lambda code: code & 0x1F in (1, 5), "mpeg2video": lambda code: code == 1}


def loaded(text: str) -> list[tuple[int, int]]:
    """Byte pairs, one a frame, that load a caption without showing it; control codes come twice."""
    return [LOAD, LOAD, ERASE_LOADED, ERASE_LOADED, LAST_ROW, LAST_ROW, *letters(text)]


def letters(text: str) -> list[tuple[int, int]]:
    """Byte pairs of ASCII text."""
    data = text.encode("ascii") + b"\0" * (len(text) % 2)
    return list(zip(data[::2], data[1::2], strict=True))


def write_captioned(
    path: Path,
    pairs_by_frame: Mapping[int, Iterable[tuple[int, int]]],
    num_frames: int,
    codec: str = "libx264",
    bframes: int = 2,
) -> Path:
    """Writes a video of 30 frames a second; the byte pairs begin at the frame that names them, one a frame."""
    pairs = {frame + n: pair for frame, several in pairs_by_frame.items() for n, pair in enumerate(several)}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options={"bf": str(bframes)})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in [*range(num_frames), None]:
            frame = None if number is None else av.VideoFrame.from_ndarray(paint_frame(number, SIZE), format="rgb24")
            if frame is not None:
                frame.pts, frame.time_base = number, Fraction(1, FPS)
            for packet in stream.encode(frame):
                number_shown = round(packet.pts * packet.time_base * FPS)
                container.mux(_with_caption(packet, codec, pairs.get(number_shown, NOTHING)))
    return path


def _with_caption(packet: av.Packet, codec: str, pair: tuple[int, int]) -> av.Packet:
    data, user_data = bytes(packet), _user_data(pair)
    at = data.find(b"\0\0\1")
    while not SLICES[codec](data[at + 3]):
        at = data.find(b"\0\0\1", at + 3)
    start = b"\0\0\1\xb2" if codec == "mpeg2video" else b"\0\0\1\6\4" + bytes([3 + len(user_data)]) + b"\xb5\0\x31"
    end = b"" if codec == "mpeg2video" else b"\x80"
    changed = av.Packet(data[:at] + start + user_data + end + data[at:])
    for name in ("pts", "dts", "time_base", "duration", "is_keyframe", "stream"):
        setattr(changed, name, getattr(packet, name))
    return changed


def _user_data(pair: tuple[int, int]) -> bytes:
    """One pair of field 1, and one empty packet of CEA-708, as broadcasters add."""
    captions = bytes([0xFC, *map(_with_parity, pair), 0xFA, 0, 0])
    return b"GA94\x03" + bytes([0x40 | 2, 0xFF]) + captions + b"\xff"


def _with_parity(value: int) -> int:
    return value | (0 if value.bit_count() % 2 else 0x80)
