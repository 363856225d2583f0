"""The sound of a video as recognisers take it, in pieces that bound the memory, on the clock of the container."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import av.audio.frame
import av.audio.resampler
import av.audio.stream
import av.container
import av.error
import numpy as np
from av.stream import Discard

from vidmodel_tf.video.containers import open_container, zero_seconds
from vidmodel_tf.video.packets import demux
from vidmodel_tf.words.languages import best_codes

RATE = 16_000  # samples a second
PIECE_SECONDS = 300
CUT_WITHIN_SECONDS = 30  # at the end of a full piece, where it is quietest
QUIET_SECONDS = 0.2  # at least so long is a place where a piece is cut
NOTICED_GAP_SECONDS = 0.1  # shorter ones are rounding
LONGEST_FILLED_GAP_SECONDS = 30.0


@dataclasses.dataclass(frozen=True, eq=False)
class SpeechSound:
    """Sound without a gap.

    Attributes:
        start_seconds: On the clock on which second 0 is the container's start.
        samples: float32 [N], mono, -1 to 1, `RATE` a second.
    """

    start_seconds: float
    samples: np.ndarray


def read_speech_sound(path: Path, languages: Sequence[str]) -> Iterator[SpeechSound]:
    """The sound of a video from its start to its end; what is damaged is left out.

    Args:
        path: The video.
        languages: Of several sound tracks, the one in the first of these that is there, else the one that players
            choose.

    Raises:
        InputError: It is not a video.
    """
    with open_container(path) as container:
        if stream := _choose_stream(container, languages):
            yield from _in_pieces(_timed(container, stream))


def _choose_stream(
    container: av.container.InputContainer, languages: Sequence[str]
) -> av.audio.stream.AudioStream | None:
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    by_language = {stream.language: stream for stream in reversed(streams) if stream.language}
    for code in best_codes(list(by_language), languages):
        return by_language[code]
    best = container.streams.best("audio")
    return next((stream for stream in streams if best is not None and stream.index == best.index), None)


def _timed(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[tuple[float | None, np.ndarray]]:
    """Samples, with their time in seconds wherever they do not follow on those before."""
    zero = zero_seconds(container)
    resampler, setup, start_seconds, num_read = None, None, 0.0, 0
    for frame in _decode(container, stream):
        expected = start_seconds + num_read / frame.sample_rate
        seconds = expected if frame.time is None else frame.time - zero
        if resampler is None or setup != _setup(frame) or seconds > expected + NOTICED_GAP_SECONDS:
            yield None, _samples(resampler, None)
            resampler = av.audio.resampler.AudioResampler(format="flt", layout="mono", rate=RATE)
            setup, start_seconds, num_read = _setup(frame), seconds, 0
            yield seconds, np.zeros(0, np.float32)
        num_read += frame.samples
        frame.pts = None  # the times are kept here
        yield None, _samples(resampler, frame)
    yield None, _samples(resampler, None)


def _decode(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[av.audio.frame.AudioFrame]:
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    for packet in demux(container, stream):
        with contextlib.suppress(av.error.FFmpegError):
            yield from stream.decode(packet)
    with contextlib.suppress(av.error.FFmpegError):
        yield from stream.decode(None)


def _setup(frame: av.audio.frame.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _samples(
    resampler: av.audio.resampler.AudioResampler | None, frame: av.audio.frame.AudioFrame | None
) -> np.ndarray:
    parts = [] if resampler is None else [part.to_ndarray().ravel() for part in resampler.resample(frame)]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def _in_pieces(timed: Iterator[tuple[float | None, np.ndarray]]) -> Iterator[SpeechSound]:
    start_seconds, parts, num_samples = 0.0, [], 0
    for seconds, samples in timed:
        gap = 0 if seconds is None else round((seconds - start_seconds) * RATE) - num_samples
        if seconds is not None and (not num_samples or gap > LONGEST_FILLED_GAP_SECONDS * RATE):
            if num_samples:
                yield SpeechSound(start_seconds, np.concatenate(parts))
            start_seconds, parts, num_samples = seconds, [], 0
        elif gap > 0:
            parts.append(np.zeros(gap, np.float32))
            num_samples += gap
        parts.append(samples)
        num_samples += len(samples)
        if num_samples >= PIECE_SECONDS * RATE:
            full = np.concatenate(parts)
            end = _quietest(full)
            yield SpeechSound(start_seconds, full[:end])
            start_seconds, parts, num_samples = start_seconds + end / RATE, [full[end:]], len(full) - end
    if num_samples:
        yield SpeechSound(start_seconds, np.concatenate(parts))


def _quietest(samples: np.ndarray) -> int:
    """The middle of the quietest place near the end."""
    step = int(QUIET_SECONDS * RATE)
    first = len(samples) - CUT_WITHIN_SECONDS * RATE
    blocks = samples[first : first + CUT_WITHIN_SECONDS * RATE // step * step].reshape(-1, step)
    return first + int(np.square(blocks).sum(axis=1).argmin()) * step + step // 2
