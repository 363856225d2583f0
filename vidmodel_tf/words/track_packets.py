"""The packets of one subtitle track of a video file, each with the time at which it is displayed."""

from __future__ import annotations

from collections.abc import Iterator

from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.subtitles.stream import SubtitleStream

from vidmodel_tf.video.containers import zero_seconds
from vidmodel_tf.video.packets import demux


def track_packets(container: InputContainer, track: SubtitleStream) -> Iterator[tuple[float, Packet]]:
    """Reads a file through, past places that cannot be read, and nothing but one track of it.

    Args:
        container: Opened, nothing read from it.
        track: One of its subtitle tracks.

    Yields:
        Seconds from the start of the file, and a packet.
    """
    for stream in container.streams:
        if stream is not track:
            stream.discard = Discard.all
    zero = zero_seconds(container)
    for packet in demux(container, track):
        if packet.pts is not None and packet.time_base is not None:
            yield float(packet.pts * packet.time_base) - zero, packet
