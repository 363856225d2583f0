"""Joins labelled clips into long videos, and writes when each event happens in them, exactly.

    python benchmarks/joined_videos.py CLIPS --event fight --held-out-of RUN --out joined

CLIPS is a source of clips as `vidmodel prepare` takes it. `--held-out-of` takes the test clips of a run (of the fold
that it holds out, if it does), `--sources` those of the sources named (`@FILE` reads them from a file, one a line):
give only such as the model was not trained on. An event is a block of clips of the event's class, all of one
source: 2 to 4, or what is left of it; the other clips stand between the blocks. The folder gets

- `joined0.mp4`, `joined1.mp4`: the same clips in other orders, so they are not independent of each other;
- `truth.csv`: when the events happen, for `vidmodel timeline --truth`;
- `cuts.csv`: where each clip stands, and its source.

Every time is a number of frames that were written, divided by their rate: nothing is taken from a container.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vidmodel_tf.clips.clip import Clip
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.video.file import VideoFile

SIZE = 480, 360  # width, height: clips of other shapes are stretched, as a model's square input does anyway
RATE = 25
CLIPS_OF_AN_EVENT = 2, 4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, fromfile_prefix_chars="@"
    )
    parser.add_argument("clips", metavar="CLIPS")
    parser.add_argument("--event", required=True, metavar="LABEL", help="the class that makes an event")
    parser.add_argument("--head", default="label", help="of which head (default: %(default)s)")
    allowed = parser.add_mutually_exclusive_group(required=True)
    allowed.add_argument("--sources", nargs="+", metavar="NAME", help="whose clips may be used")
    allowed.add_argument("--held-out-of", metavar="RUN", help="a run folder: its test clips may be used")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--num-videos", type=int, default=2)
    options = parser.parse_args()
    if options.held_out_of:
        options.sources = held_out_sources(options.held_out_of)
    clips = _allowed(read_manifest(options.clips).clips, options)
    truth, cuts = [], []
    for seed in range(options.num_videos):
        name = f"joined{seed}.mp4"
        blocks = arrange(clips, options.head, options.event, seed)
        options.out.mkdir(parents=True, exist_ok=True)
        ends = join([clip for block in blocks for clip in block], options.out / name)
        check(options.out / name, ends[-1])
        starts = iter(zip([0, *ends], ends, strict=False))
        for block in blocks:
            times = list(itertools.islice(starts, len(block)))
            cuts += [
                (name, a / RATE, b / RATE, clip.id, clip.source) for (a, b), clip in zip(times, block, strict=True)
            ]
            if block[0].labels[options.head] == options.event:
                truth.append((name, times[0][0] / RATE, times[-1][1] / RATE, options.head, options.event))
        print(f"{name}: {len(ends)} clips, {ends[-1] / RATE:.2f} s")
    _write(options.out / "truth.csv", ("path", "start_seconds", "end_seconds", "head", "label"), truth)
    _write(options.out / "cuts.csv", ("path", "start_seconds", "end_seconds", "clip", "source"), cuts)
    print(f"{len(truth)} events")


def held_out_sources(run_dir: str) -> list[str]:
    """The sources of the test clips of a run."""
    from vidmodel_tf.records.data_set import open_data_set
    from vidmodel_tf.run_folder.run import load_run

    run = load_run(run_dir)
    return sorted({clip.source for clip in open_data_set(run.data).with_fold(run.fold).in_split("test")})


def _allowed(clips: Sequence[Clip], options: argparse.Namespace) -> list[Clip]:
    unknown = sorted(set(options.sources) - {clip.source for clip in clips})
    if unknown:
        raise SystemExit(f"no clip is of the sources {', '.join(unknown)}")
    allowed = [clip for clip in clips if clip.source in options.sources and clip.labels[options.head] is not None]
    num_events = sum(clip.labels[options.head] == options.event for clip in allowed)
    if num_events in (0, len(allowed)):
        raise SystemExit(f"expected clips of {options.event!r} and others. Received: {num_events} of {len(allowed)}")
    return allowed


def arrange(clips: Sequence[Clip], head: str, event: str, seed: int) -> list[list[Clip]]:
    """The clips in blocks: events, and single other clips, as evenly as can be, between them."""
    shuffled = random.Random(seed)
    by_source: dict[str, list[Clip]] = {}
    others = []
    for clip in clips:
        if clip.labels[head] == event:
            by_source.setdefault(clip.source, []).append(clip)
        else:
            others.append(clip)
    events = [block for source in by_source.values() for block in _blocks(source, shuffled)]
    shuffled.shuffle(events)
    shuffled.shuffle(others)
    gaps = np.array_split(np.arange(len(others)), len(events) + 1)
    blocks = []
    for gap, block in itertools.zip_longest(gaps, events):
        blocks += [[others[index]] for index in gap]
        blocks += [block] if block else []
    return blocks


def _blocks(clips: list[Clip], shuffled: random.Random) -> Iterator[list[Clip]]:
    shuffled.shuffle(clips)
    while clips:
        length = shuffled.randint(*CLIPS_OF_AN_EVENT)
        yield clips[:length]
        del clips[:length]


def join(clips: Sequence[Clip], path: Path) -> list[int]:
    """Writes the clips one after the other, H.264 in MP4. Returns the frame after the last of each."""
    ends, index = [], 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "18"})
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, RATE)
        for clip in clips:
            for pixels in _at_rate(clip):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, RATE)  # without them the file would play in no time
                container.mux(stream.encode(frame))
                index += 1
            ends.append(index)
        container.mux(stream.encode(None))
    return ends


def _at_rate(clip: Clip) -> Iterator[np.ndarray]:
    """The frame that is displayed in the middle of each 1 / RATE seconds of a clip."""
    with VideoFile(clip.path) as video:
        frames = [(frame.time_seconds, cv2.resize(frame.pixels, SIZE, interpolation=cv2.INTER_AREA)) for frame in video]
        end = video.duration_seconds
    start = clip.start_seconds or 0.0
    stop = end if clip.end_seconds is None else min(clip.end_seconds, end)
    times = np.array([time for time, _ in frames])
    for tick in range(max(round((stop - start) * RATE), 1)):
        shown = np.searchsorted(times, start + (tick + 0.5) / RATE, side="right") - 1
        yield frames[max(shown, 0)][1]


def check(path: Path, num_frames: int) -> None:
    """Reads a video again: all its frames must be there, each at its time."""
    with VideoFile(path) as video:
        times = [frame.time_seconds for frame in video]
    if len(times) != num_frames or not np.allclose(times, np.arange(num_frames) / RATE, atol=1e-3):
        raise SystemExit(f"{path}: expected {num_frames} frames at {RATE} a second. Received: {len(times)}")


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


if __name__ == "__main__":
    main()
