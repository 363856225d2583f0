"""Copies a range of a video, pictures and sound as they are compressed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from pathlib import Path

import av.container
import av.packet
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.cut import Cut
from vidmodel_tf.timelines.sound_between import SoundBetween
from vidmodel_tf.timelines.video_writer import open_output
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.packets import Packets
from vidmodel_tf.video.pictures_between import choose_pictures, end_of, list_range


def copy_packets(video: VideoFile, start_seconds: float, end_seconds: float, out: Path) -> Cut:
    """Writes the packets from the key frame before the start on.

    Args:
        video: The file.
        start_seconds: From the container's second 0.
        end_seconds: Likewise. Later pictures that those before it are made from come along.
        out: The new file.

    Raises:
        InputError: The video does not say when its pictures are displayed, or there are none in the range.
    """
    packets = list_range(video, start_seconds, end_seconds)
    if not packets.has_trusted_times:
        raise InputError(
            "expected a video that says when each picture is displayed, to copy a part of it. Received: none that can "
            "be trusted; cut it without copying",
            subject=video.path,
        )
    timeline = video.timeline(packets)
    first, end = choose_pictures(video, timeline, start_seconds, end_seconds)
    first_row = packets.key_row(packets.row_of_pts[int(timeline.keys[first])]) or 0
    end_row = _end_row(packets, int(timeline.keys[end - 1]))
    numbers = _numbers(packets, timeline.keys, first_row, end_row)
    start_seconds, end_seconds = float(timeline.seconds[numbers[0]]), end_of(timeline, int(numbers[-1]) + 1)
    with (
        SoundBetween(video.path, start_seconds, end_seconds) as sound,
        open_output(out) as container,
    ):
        pictures = _pictures(video, container, packets, first_row, end_row)
        # Side by side, so that the container has nothing to keep until the other comes.
        for packet in heapq.merge(pictures, _sounds(sound, container), key=_seconds):
            container.mux(packet)
    return Cut(out, start_seconds, end_seconds, len(numbers))


def _end_row(packets: Packets, last_pts: int) -> int:
    """The row after the last of all pictures up to `last_pts`, and up to those that stand among them."""
    end_row = 0
    while True:
        rows = np.flatnonzero(~packets.is_hidden & (packets.pts <= last_pts))
        if int(rows[-1]) + 1 == end_row:
            return end_row
        end_row = int(rows[-1]) + 1
        last_pts = int(packets.pts[:end_row][~packets.is_hidden[:end_row]].max())


def _numbers(packets: Packets, keys: np.ndarray, first_row: int, end_row: int) -> np.ndarray:
    """Which pictures are copied: those displayed before the key frame could not be decoded."""
    rows = slice(first_row, end_row)
    shown = packets.pts[rows][~packets.is_hidden[rows]]
    return np.flatnonzero(np.isin(keys, shown[shown >= packets.pts[first_row]]))


def _pictures(
    video: VideoFile, container: av.container.OutputContainer, packets: Packets, first_row: int, end_row: int
) -> Iterator[av.packet.Packet]:
    stream, first_pts = video.add_copy_to(container), int(packets.pts[first_row])
    for packet in itertools.islice(video.packets_from(packets, first_row), end_row - first_row):
        if packet.pts is not None and packet.pts >= first_pts:
            packet.pts -= first_pts
            packet.dts = None if packet.dts is None else packet.dts - first_pts
            packet.stream = stream
            yield packet


def _sounds(sound: SoundBetween, container: av.container.OutputContainer) -> Iterator[av.packet.Packet]:
    packets = sound.packets()
    first = next(packets, None)
    if first is not None and sound.stream is not None:
        stream = container.add_stream_from_template(sound.stream)
        for packet in itertools.chain([first], packets):
            packet.stream = stream
            yield packet


def _seconds(packet: av.packet.Packet) -> float:
    ticks = packet.pts if packet.dts is None else packet.dts
    return float((ticks or 0) * packet.time_base)
