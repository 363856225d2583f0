"""The packets of one subtitle track of a video file, each with the time at which it is displayed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.subtitles.stream import SubtitleStream


def track_packets(container: InputContainer, track: SubtitleStream) -> Iterator[tuple[float, Packet]]:
    """Reads a file through, and nothing but one track of it. A file that is cut off ends there.

    Args:
        container: Opened, nothing read from it.
        track: One of its subtitle tracks.

    Yields:
        Seconds from the start of the file, and a packet.
    """
    for stream in container.streams:
        if stream is not track:
            stream.discard = Discard.all
    zero_seconds = (container.start_time or 0) / av.time_base
    with contextlib.suppress(av.error.FFmpegError):
        for packet in container.demux(track):
            if packet.pts is not None and packet.time_base is not None and packet.size:
                yield float(packet.pts * packet.time_base) - zero_seconds, packet
