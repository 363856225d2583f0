"""A video file: its streams, its clock, and its pictures from any key frame on, by FFmpeg through PyAV."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Self, cast

import av
import av.container
import av.error
import av.packet
import av.video.stream
import numpy as np
from av.stream import Discard

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.containers import best_video_stream, open_container, zero_seconds
from vidmodel_tf.video.frame import Frame
from vidmodel_tf.video.last_picture import StreamClaims, last_ticks
from vidmodel_tf.video.packets import UNKNOWN, Packets, demux, list_packets, packet_times, until
from vidmodel_tf.video.pixels import PixelConverter
from vidmodel_tf.video.sound import Sound, read_sound
from vidmodel_tf.video.timeline import JUMP_SECONDS, Clock, Timeline, make_timeline

DEFAULT_FPS = 25.0  # of a file that tells neither timestamps nor a rate
MAX_FPS = 1000.0  # beyond, it is the container's clock (90000 in MPEG streams of variable rate)
INDEXED_FORMATS = {"mov", "matroska"}  # their index leads to any time, and their packets say how long they last
LONG_SECONDS = 60.0  # of a file whose packets are not listed for a few ranges of it
MARGIN_SECONDS = 1.0
TELLS_LENGTH = INDEXED_FORMATS | {"avi", "flv", "asf", "mxf"}  # that of others is guessed from what there is


class VideoFile:
    """One file, a `VideoSource`: every frame of it in display order, with second 0 at the first picture.

    Interlaced frames come out as whole frames, both fields woven together; what cannot be decoded is left out.

    Args:
        path: Any name: it is never taken for the address of anything but a file.
        on_packet: Called for each packet that is read, all of them before the first picture, and for each decoded.

    Raises:
        InputError: It is not a video; the message says what it is.
    """

    def __init__(self, path: str | os.PathLike[str], on_packet: Callable[[], None] = lambda: None) -> None:
        self._on_packet = on_packet
        self.path = Path(path).absolute()  # not resolved: a message names a link as the user did
        self.num_refused = 0  # packets that the decoder has refused so far
        self._open()

    def _open(self) -> None:
        self._container = open_container(self.path)
        try:
            self._stream = best_video_stream(self._container, self.path)
        except InputError:
            self._container.close()
            raise
        self._is_at_start = True
        for stream in self._container.streams:
            if stream is not self._stream:
                stream.discard = Discard.all
        # One thread: with several, what FFmpeg makes of damaged frames depends on their timing.
        self._stream.codec_context.thread_type = "NONE"
        self._stream.codec_context.thread_count = 1

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def format(self) -> str:
        """FFmpeg's name of the container, its first."""
        return self._container.format.name.split(",")[0]

    @property
    def stream_index(self) -> int:
        """Of the video stream in its file."""
        return self._stream.index

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return self._stream.codec_context.name

    @property
    def time_base(self) -> float:
        """Seconds a tick of the stream."""
        return float(cast(Fraction, self._stream.time_base))  # None only in files that are being written

    @property
    def zero_seconds(self) -> float:
        """What stands for second 0 on the stream's own clock: the start of the earliest stream, as players count."""
        return zero_seconds(self._container)

    @property
    def first_pts(self) -> int | None:
        """When the first picture is displayed, as the container says."""
        return self._stream.start_time

    @property
    def clock(self) -> Clock:
        """How its timestamps are to be read."""
        return Clock(self.time_base, self.zero_seconds, self.frame_seconds, has_rate_only=self.format == "avi")

    @property
    def frame_seconds(self) -> float:
        """Seconds a frame at the claimed rate, or at a usual one where the claim is absurd."""
        for rate in (self._stream.average_rate, self._stream.guessed_rate, self._stream.codec_context.framerate):
            if rate and 1 / MAX_FPS <= rate <= MAX_FPS:
                return float(1 / rate)
        return 1 / DEFAULT_FPS

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height, as stored; old television has pixels that are not square."""
        return self._stream.sample_aspect_ratio or Fraction(1)

    @property
    def claimed_frames(self) -> int:
        """As the container says, 0 where it does not."""
        return max(self._stream.frames, 0)

    @property
    def claims_video_seconds(self) -> bool:
        """Whether `claimed_seconds` is the length of the video stream, not that of the file from second 0 on."""
        return bool(self._stream.duration)

    @property
    def claimed_seconds(self) -> float:
        """How long the video is as the container says, 0.0 where it does not."""
        if self.format not in TELLS_LENGTH:
            return 0.0
        if self._stream.duration:
            return max(self._stream.duration * self.time_base, 0.0)
        return max((self._container.duration or 0) / av.time_base, 0.0)

    @property
    def duration_seconds(self) -> float | None:
        """From the first picture to the end of the last."""
        return self.timeline(self.packets).duration_seconds

    def __iter__(self) -> Iterator[Frame]:
        if not len(self.packets.shown_pts):
            raise InputError("no frame of this video can be decoded: it is damaged or cut off", subject=self.path)
        converter, timeline = PixelConverter(), self.timeline(self.packets)
        has_times = len(timeline.keys) and self.packets.has_trusted_times
        for index, picture in enumerate(self.decode(self.packets, 0)):
            known = np.searchsorted(timeline.keys, picture.pts) if has_times and picture.pts is not None else index
            seconds = timeline.regular[min(known, len(timeline.regular) - 1)]
            yield Frame(index, float(seconds), converter.to_bgr(picture))

    @cached_property
    def packets(self) -> Packets:
        """All packets of the video."""
        if not self._is_at_start:
            self._reopen()
        self._is_at_start = False
        return list_packets(self._demux(), is_whole=True, tells_pts=self.format != "avi")

    def timeline(self, packets: Packets) -> Timeline:
        """When the pictures of packets are displayed, as the container says."""
        is_trusted = packets.has_trusted_times
        pts = packets.shown_pts if is_trusted else np.full(np.count_nonzero(~packets.is_hidden), UNKNOWN)
        claims = StreamClaims(self.format, self.first_pts, self._stream.duration or 0, self.claimed_frames)
        return make_timeline(pts, last_ticks(packets, claims), self.clock, self._is_jump)

    def timeline_of(self, pts: np.ndarray) -> Timeline:
        """The same of pictures that were decoded, given what the decoder says."""
        return make_timeline(pts, 0, self.clock, self._is_jump)

    def _is_jump(self, before_pts: int, after_pts: int) -> bool:
        # MP4 is read in the order of its times, so that the sound always seems to go on with the picture.
        if self.format == "mov":
            return False
        return self._sound.goes_on_over(before_pts, after_pts, (after_pts - before_pts) * self.time_base)

    @cached_property
    def _sound(self) -> Sound:
        return read_sound(self.path, self.stream_index, self._on_packet)

    def leads_to(self, end_seconds: float) -> bool:
        """Whether the index of the file leads to any time before `end_seconds`, and that is well before its end."""
        return (
            self.format in INDEXED_FORMATS
            and self.first_pts is not None
            and self.claimed_seconds > LONG_SECONDS
            and end_seconds + MARGIN_SECONDS < self.claimed_seconds
            and not self._has_jump
        )

    @cached_property
    def _has_jump(self) -> bool:
        if self.claimed_seconds <= JUMP_SECONDS:
            return False
        times = np.array([entry.timestamp for entry in self._stream.index_entries], np.float64) * self.time_base
        return len(times) < 2 or bool(np.abs(np.diff(times)).max() > JUMP_SECONDS)

    def list_packets_between(self, start_seconds: float, end_seconds: float) -> Packets | None:
        """The packets from the key frame before one time to the first picture at another.

        Args:
            start_seconds: From second 0.
            end_seconds: Likewise.

        Returns:
            None where the file does not lead to that key frame with certainty.
        """
        start_pts, end_pts = (
            int(np.floor((seconds + self.zero_seconds) / self.time_base)) for seconds in (start_seconds, end_seconds)
        )
        for earlier_seconds in (0, 2, 10, 60):
            target = start_pts - int(earlier_seconds / self.time_base)
            with contextlib.suppress(av.error.FFmpegError):
                self._seek(target)
                packets = list_packets(until(self._demux(), end_pts), is_whole=False, tells_pts=True)
                if len(packets) and packets.is_key[0] and packets.has_trusted_times and packets.pts[0] <= start_pts:
                    return packets
        return None

    def decode(self, packets: Packets, first_row: int, end_row: int | None = None) -> Iterator[av.VideoFrame]:
        """The pictures in display order of some packets; what cannot be decoded is left out.

        Args:
            packets: As they were listed.
            first_row: 0, or a key frame's.
            end_row: None: to the last.
        """
        context = self._stream.codec_context
        context.flush_buffers()
        num_rows = (len(packets) if end_row is None else end_row) - first_row
        for packet in itertools.islice(self.packets_from(packets, first_row), num_rows):
            self._on_packet()  # some are held in memory, and not read again
            try:
                yield from context.decode(packet)
            except av.error.FFmpegError:
                self.num_refused += 1
        with contextlib.suppress(av.error.FFmpegError):
            yield from context.decode(None)

    def add_copy_to(self, container: av.container.OutputContainer) -> av.video.stream.VideoStream:
        """Adds a stream to a file that is being written, into which packets of this one go as they are."""
        return container.add_stream_from_template(self._stream)

    def packets_from(self, packets: Packets, first_row: int) -> Iterator[av.packet.Packet]:
        """The packets themselves, compressed, in the order of decoding.

        Args:
            packets: As they were listed.
            first_row: 0, or a key frame's.
        """
        if packets.held is not None:
            return iter(packets.held[first_row:])
        expected = int(packets.pts[first_row]), int(packets.dts[first_row])
        if packets.has_trusted_times:
            # MP4 and Matroska are sought by the time of display, MPEG streams by that of decoding.
            for target in (expected[0], min(expected), min(expected) - round(2 / self.time_base)):
                with contextlib.suppress(av.error.FFmpegError):
                    self._seek(target)
                    found = self._after_landing(expected)
                    if found is not None:
                        return found
        self._reopen()
        if packets.is_whole:
            return itertools.islice(self._demux(), first_row, None)
        return itertools.dropwhile(lambda found: packet_times(found) != expected, self._demux())

    def _after_landing(self, expected: tuple[int, int]) -> Iterator[av.packet.Packet] | None:
        packets = self._demux()
        for packet in packets:
            if packet_times(packet) == expected:
                return itertools.chain([packet], packets)
            if packet_times(packet)[1] > expected[1]:
                return None  # it landed behind
        return None

    def _demux(self) -> Iterator[av.packet.Packet]:
        for packet in demux(self._container, self._stream):
            self._on_packet()
            yield packet

    def _seek(self, target: int) -> None:
        self._is_at_start = False
        self._container.seek(target, stream=self._stream)

    def _reopen(self) -> None:
        self._container.close()
        self._open()
