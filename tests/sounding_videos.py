"""Test videos with sound: several tracks, late starts, gaps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.videos import paint_frame

FPS, SIZE = 25, (96, 72)
BLOCK = 1024  # samples a packet


@dataclasses.dataclass(frozen=True, eq=False)
class Track:
    """A sound track.

    Args:
        stretches: (start in seconds, float32 [N] of -1 to 1) one after the other; between them is nothing at all.
        rate: Samples a second.
        language: Of three letters.
    """

    stretches: Sequence[tuple[float, np.ndarray]]
    rate: int = 16_000
    language: str = "und"


def write_sounding(path: Path, tracks: Sequence[Track], num_frames: int = 50, codec: str = "pcm_s16le") -> Path:
    """Writes a video whose frames carry their numbers, with sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=FPS)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        sounds = [container.add_stream(codec, rate=track.rate, layout="mono") for track in tracks]
        for sound, track in zip(sounds, tracks, strict=True):
            sound.metadata["language"] = track.language
        packets = []
        for number in range(num_frames):
            frame = av.VideoFrame.from_ndarray(paint_frame(number, SIZE), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            packets += video.encode(frame)
        packets += video.encode(None)
        for sound, track in zip(sounds, tracks, strict=True):
            for frame in _frames(track):
                packets += sound.encode(frame)
            packets += sound.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def _frames(track: Track):
    for start_seconds, samples in track.stretches:
        whole = np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)
        for first in range(0, len(whole), BLOCK):
            block = whole[None, first : first + BLOCK]
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate = track.rate
            frame.pts, frame.time_base = round(start_seconds * track.rate) + first, Fraction(1, track.rate)
            yield frame


def tone(seconds: float, frequency: float, rate: int = 16_000) -> np.ndarray:
    """A sine at half of full scale."""
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
