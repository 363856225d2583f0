"""Test videos with words in them: text tracks of every format, chapters, metadata, attachments."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from tests.videos import paint_frame

MILLISECOND = Fraction(1, 1000)
Line = tuple[float, float, str]
"""When it is shown from, until when, and its text as the format has it."""


@dataclasses.dataclass(frozen=True)
class TextTrack:
    """A text track: FFmpeg's name of its format, its lines, and how it is marked."""

    codec: str
    lines: Sequence[Line]
    language: str | None = "eng"
    title: str | None = None
    disposition: Disposition | None = None


def write_tracks(
    path: Path,
    tracks: Sequence[TextTrack] = (),
    *,
    metadata: Mapping[str, str] | None = None,
    chapters: Sequence[Line] = (),
    attachments: Mapping[str, bytes] | None = None,
    num_frames: int = 50,
    frames: Iterable[np.ndarray] | None = None,
    starts_seconds: float = 0.0,
) -> Path:
    """Writes a video of 12.5 frames a second, or the given RGB `frames`, with words in it.

    Packets of text are written as they stand in the file, not by an encoder, so that what is read back is compared
    with what the formats say. `starts_seconds` moves pictures, words and chapters alike on the file's own clock.
    """
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        video = container.add_stream("libvpx" if path.suffix == ".webm" else "libx264", rate=Fraction(25, 2))
        video.pix_fmt = "yuv420p"
        pictures = list(frames) if frames is not None else [paint_frame(number) for number in range(num_frames)]
        video.height, video.width = pictures[0].shape[:2]
        streams = [_add(container, track) for track in tracks]
        for name, data in (attachments or {}).items():
            container.add_attachment(name, "application/json", data)
        container.set_chapters([_chapter(number, chapter, starts_seconds) for number, chapter in enumerate(chapters)])
        container.start_encoding()
        packets = [
            _packet(stream, track.codec, line, starts_seconds)
            for track, stream in zip(tracks, streams, strict=True)
            for line in track.lines
        ]
        packets += _encode(video, pictures, starts_seconds)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def _add(container, track):
    stream = container.add_mux_stream(track.codec)
    stream.time_base = MILLISECOND
    stream.disposition = track.disposition or Disposition(0)
    if track.language:
        stream.metadata["language"] = track.language
    if track.title:
        stream.metadata["title" if container.format.name == "matroska" else "handler_name"] = track.title
    return stream


def _chapter(number, chapter, starts_seconds):
    start, end, title = chapter[0] + starts_seconds, chapter[1] + starts_seconds, chapter[2]
    return {
        "id": number, "start": round(start * 1000), "end": round(end * 1000), "time_base": MILLISECOND,
        "metadata": {"title": title},
    }  # fmt: skip


def _packet(stream, codec, line, starts_seconds):
    start, end, text = line
    data = text.encode()
    if codec == "mov_text":
        data = struct.pack(">H", len(data)) + data
    elif codec == "ass":
        data = b"0,0,Default,,0,0,0,," + data
    packet = av.Packet(data)
    packet.stream, packet.time_base = stream, MILLISECOND
    packet.pts = packet.dts = round((start + starts_seconds) * 1000)
    packet.duration = round((end - start) * 1000)
    return packet


def _encode(video, pictures, starts_seconds):
    packets = []
    first = round(starts_seconds * 12.5)
    for number, rgb in enumerate(pictures, first):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame.pts = number
        packets += video.encode(frame)
    return packets + video.encode(None)
