"""The sound of a range of a video file, without gaps, as an encoder takes it."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.audio.frame
import av.audio.stream
import av.container
import av.error
import av.filter
import av.packet

from vidmodel_tf.video.containers import open_container, zero_seconds

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # that every player of AAC knows
DEFAULT_RATE = 48000
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}  # likewise, by the number of channels; others become stereo
FRAME_SAMPLES = 1024  # what AAC encodes at a time
EARLIER_SECONDS = (0.2, 2.0, 10.0, 60.0)  # decoders need some sound before; not every container is sought exactly


class SoundBetween:
    """The best sound stream of a file in [start_seconds, end_seconds).

    Times are counted from the start of the range. Where there is no sound it is silent, up to the last sound. A context
    manager that closes the file.

    Args:
        path: The file.
        start_seconds: From the container's second 0.
        end_seconds: Likewise; may be infinite.
    """

    def __init__(self, path: Path, start_seconds: float, end_seconds: float = math.inf) -> None:
        self._path = path
        self._start_seconds, self._end_seconds = start_seconds, end_seconds
        self._open()

    def _open(self) -> None:
        self._container = open_container(self._path)
        # The time at the start of the range, on the clock of the streams.
        self._zero_seconds = zero_seconds(self._container) + self._start_seconds
        self.stream = self._container.streams.best("audio")
        if self.stream is not None and self.stream.codec_context is None:
            self.stream = None  # FFmpeg has no decoder for it

    def close(self) -> None:
        """Closes the file."""
        self._container.close()

    def __enter__(self) -> SoundBetween:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def packets(self) -> Iterator[av.packet.Packet]:
        """The packets from the start of the range on, as they are; their times are in ticks of `stream` from there."""
        if self.stream is None:
            return
        tick = float(cast(Fraction, self.stream.time_base))
        for packet in self._sought():
            if packet.pts is None or not packet.size or packet.pts * tick < self._zero_seconds:
                continue
            if packet.pts * tick >= self._zero_seconds + self._end_seconds - self._start_seconds:
                return
            packet.pts -= round(self._zero_seconds / tick)
            packet.dts = packet.pts
            yield packet

    def frames(self) -> Iterator[av.AudioFrame]:
        """Decoded: float32, planar, of a rate and layout that AAC has, 1024 samples each but the last."""
        graph = None
        for frame in _uniform(self._decoded()):
            graph = graph or self._graph(frame)
            graph.push(frame)
            yield from _pulled(graph)
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)

    def _graph(self, frame: av.AudioFrame) -> av.filter.Graph:
        rate = frame.sample_rate if frame.sample_rate in RATES else DEFAULT_RATE
        layout = LAYOUTS.get(frame.layout.nb_channels, "stereo")
        length = self._end_seconds - self._start_seconds
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout,
                time_base=Fraction(1, frame.sample_rate),
            ),
            graph.add("atrim", "start=0" + ("" if math.isinf(length) else f":end={length:.6f}")),
            graph.add("aresample", f"{rate}:async=1:first_pts=0"),  # fills gaps
            graph.add("aformat", f"sample_fmts=fltp:channel_layouts={layout}"),
            graph.add("asetnsamples", f"n={FRAME_SAMPLES}:p=0"),
            graph.add("abuffersink"),
        ).configure()
        return graph

    def _decoded(self) -> Iterator[av.AudioFrame]:
        length = self._end_seconds - self._start_seconds
        for packet in self._sought():
            with contextlib.suppress(av.error.FFmpegError):  # damaged sound becomes a gap
                for frame in packet.decode():
                    if frame.pts is None or frame.time_base is None:
                        continue
                    seconds = float(frame.pts * frame.time_base) - self._zero_seconds
                    if seconds >= length:
                        return
                    frame.pts, frame.time_base = round(seconds * frame.sample_rate), Fraction(1, frame.sample_rate)
                    yield frame

    def _sought(self) -> Iterator[av.packet.Packet]:
        """Packets from a little before the range on."""
        if self.stream is None:
            return iter(())
        if self._start_seconds > EARLIER_SECONDS[0]:
            tick = float(cast(Fraction, self.stream.time_base))
            for earlier_seconds in EARLIER_SECONDS:
                with contextlib.suppress(av.error.FFmpegError, StopIteration):
                    self._container.seek(int((self._zero_seconds - earlier_seconds) / tick), stream=self.stream)
                    packets = self._container.demux(self.stream)
                    first = next(packets)
                    if first.pts is not None and first.pts * tick < self._zero_seconds:
                        return itertools.chain([first], packets)
            self._container.close()
            self._open()
        return self._container.demux(self.stream)


def _uniform(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Frames of the kind of the first: broadcasts change between stereo and surround sound as they go on."""
    first, kind, resampler = None, None, None
    for frame in frames:
        first = first or _kind(frame)
        if _kind(frame) == first:
            yield frame
            continue
        if resampler is None or _kind(frame) != kind:
            kind, resampler = _kind(frame), av.AudioResampler(*first)
        yield from resampler.resample(frame)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _pulled(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    with contextlib.suppress(av.error.BlockingIOError, av.error.EOFError):
        while True:
            yield cast(av.AudioFrame, graph.pull())
