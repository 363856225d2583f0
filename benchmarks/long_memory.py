"""Peak memory and time of what is done with long videos, at 10 minutes and at 3 hours.

    python benchmarks/long_memory.py [--run RUN]

The videos are one minute of 160 x 120 pixels, with a tone, repeated by copying its packets. Each figure is of a fresh
process, or of the largest of its workers, read from the kernel when it has ended: every picture read; 7 seconds cut
out at two thirds of the video; the whole video annotated (only at 10 minutes); `vidmodel timeline RUN`, where RUN is
given.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

MINUTES = (10, 180)
RATE, SOUND_RATE = 25, 8000
READ = """
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pictures_between import pictures_between
from vidmodel_tf.video.pixels import PixelConverter
converter = PixelConverter()
with VideoFile({path!r}) as video:
    print(sum(converter.to_bgr(shown.picture).size > 0 for shown in pictures_between(video, 0.0)))
"""
CUT = """
from vidmodel_tf.timelines.cut_clip import cut_clip
print(cut_clip({path!r}, {seconds} * 2 / 3, {seconds} * 2 / 3 + 7, {path!r} + ".cut.mp4").num_frames)
"""
ANNOTATE = """
import numpy as np
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.timelines.annotate import annotate
from vidmodel_tf.timelines.document import Document, ModelFacts, TimelineSettings, VideoFacts
scores = TimedScores.of(0.2, {seconds}, {{"label": ["a", "b"]}}, {{"label": np.full(({seconds} * 5, 2), 0.5)}})
document = Document(
    VideoFacts({path!r}, "", {seconds}, 0, 160, 120), ModelFacts("", ""), TimelineSettings(2, 1, 0.2, "fixed"), scores
)
annotate({path!r}, document, {path!r} + ".annotated.mp4")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", help="a run folder: measure `vidmodel timeline` too")
    options = parser.parse_args()
    print("minutes  what      peak MB  seconds")
    with tempfile.TemporaryDirectory() as folder:
        minute = _write_minute(Path(folder) / "minute.mp4")
        for minutes in MINUTES:
            path = _repeat(minute, minutes, Path(folder) / f"{minutes}.mp4")
            scripts = {"read": READ, "cut": CUT} | ({"annotate": ANNOTATE} if minutes == MINUTES[0] else {})
            for name, script in scripts.items():
                _measure(minutes, name, "-c", script.format(path=str(path), seconds=minutes * 60))
            if options.run:
                _measure(
                    minutes, "timeline", "-m", "vidmodel_tf", "timeline", options.run, path, "--out", f"{path}.out"
                )


def _write_minute(path: Path) -> Path:
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 256, (12, 16, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"g": "50", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for second in range(60):
            for number in range(second * RATE, (second + 1) * RATE):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(picture, number, axis=1)), "rgb24")
                container.mux(video.encode(frame))
            times = np.arange(second * SOUND_RATE, (second + 1) * SOUND_RATE) / SOUND_RATE
            tone = av.AudioFrame.from_ndarray(np.sin(times * 2764).astype(np.float32)[None], "fltp", "mono")
            tone.sample_rate, tone.time_base, tone.pts = SOUND_RATE, Fraction(1, SOUND_RATE), second * SOUND_RATE
            container.mux(audio.encode(tone))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def _repeat(minute: Path, minutes: int, out: Path) -> Path:
    with av.open(str(minute)) as source, av.open(str(out), "w") as container:
        copies = [container.add_stream_from_template(stream) for stream in source.streams]
        last_dts = [-(1 << 62)] * len(copies)
        for number in range(minutes):
            source.seek(0)
            for packet in source.demux():
                ticks = round(60 * number / packet.time_base)
                # The sound of a minute begins a little before it.
                if packet.size and packet.dts + ticks > last_dts[packet.stream_index]:
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                    last_dts[packet.stream_index] = packet.dts
                    packet.stream = copies[packet.stream_index]
                    container.mux(packet)
    return out


def _measure(minutes: int, name: str, *arguments: object) -> None:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{name} failed at {minutes} minutes")
    print(f"{minutes:7}  {name:8}  {usage.ru_maxrss / 1024:7.0f}  {time.perf_counter() - start:7.1f}", flush=True)


if __name__ == "__main__":
    main()
