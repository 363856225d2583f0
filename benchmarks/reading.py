"""Milliseconds of reading 32 frames of a clip into JPEGs, beside PyAV and decord; a long film; and two workers.

    pip install . -r benchmarks/requirements.txt && python benchmarks/reading.py CLIP... [--minutes N]

All sides do the same work with one thread: the frames in the middle of 32 equal parts, reduced to a short side of 256
and encoded with quality 95. They read each clip by turns. The long film is drawn here, in H.264 with a key frame every
250: there a reader that jumps has to decode up to 250 pictures for each frame, and one that reads on all 15,000.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import decord
import numpy as np

from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.stored_frame import encode_frame, reduce_frame

NUM_FRAMES, SHORT_SIDE, QUALITY = 32, 256, 95
FRAMES_A_SECOND, KEY_FRAME_EVERY = 25, 250
NUM_LINKS = 5  # to each clip, for the workers
REFERENCE = "PyAV, every picture"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", help="video files")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="of the film (default: %(default)g)")
    options = parser.parse_args()
    import_opencv().setNumThreads(1)
    _print_table(f"{len(options.clips)} clips", options.clips, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        _draw_film(film, round(60 * FRAMES_A_SECOND * options.minutes))
        _print_table(f"a film of {options.minutes:g} minutes", [film], options.rounds)
    _print_workers(options.clips, options.rounds)


def _print_table(title: str, paths: Sequence[str | Path], rounds: int) -> None:
    readers: dict[str, Callable[[str | Path], int]] = {
        "this package": _by_package,
        REFERENCE: _by_pyav,
        "decord": _by_decord,
    }
    times: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds + 1):  # the first warms up
        for name, read in readers.items():
            start = time.perf_counter()
            num_frames = [read(path) for path in paths]
            if number:
                times[name].append(1000 * (time.perf_counter() - start) / len(paths))
            if set(num_frames) != {NUM_FRAMES}:
                raise SystemExit(f"{name}: expected {NUM_FRAMES} frames a clip. Received: {num_frames}")
    print(f"{title:<26} {'ms':>9} {'ratio':>6}")
    reference = statistics.median(times[REFERENCE])
    for name, values in times.items():
        print(f"{name:<26} {statistics.median(values):9.0f} {statistics.median(values) / reference:6.2f}")


def _by_package(path: str | Path) -> int:
    return len(read_clip(_request(path)).jpeg_frames)


def _request(path: str | Path) -> ClipRequest:
    return ClipRequest(path, NUM_FRAMES, SHORT_SIDE, QUALITY)


def _by_pyav(path: str | Path) -> int:
    """Decodes every picture, and converts the chosen ones."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        chosen, frames = _chosen(stream.frames), {}
        for number, frame in enumerate(container.decode(stream)):
            if number in chosen:
                frames[number] = _stored(frame.to_ndarray(format="bgr24"))
    return len([frames[number] for number in chosen])


def _by_decord(path: str | Path) -> int:
    reader = decord.VideoReader(str(path), num_threads=1)
    return len([_stored(rgb[..., ::-1]) for rgb in reader.get_batch(_chosen(len(reader))).asnumpy()])


def _chosen(num_pictures: int) -> list[int]:
    return [(2 * part + 1) * num_pictures // (2 * NUM_FRAMES) for part in range(NUM_FRAMES)]


def _stored(bgr: np.ndarray) -> bytes:
    return encode_frame(reduce_frame(bgr, SHORT_SIDE), QUALITY)


def _draw_film(path: Path, num_pictures: int) -> None:
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (360, 640, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        key_frames = f"keyint={KEY_FRAME_EVERY}:min-keyint={KEY_FRAME_EVERY}:scenecut=0"
        options = {"preset": "veryfast", "x264-params": key_frames}
        stream = container.add_stream("libx264", rate=Fraction(FRAMES_A_SECOND), options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(num_pictures):
            picture = np.roll(scene // 4, number, axis=1)
            picture[100:140, number % 600 : number % 600 + 40] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _link(folder: Path, path: str, number: int) -> str:
    """Another name for a clip: clips of one file would be read together."""
    link = folder / f"{number}_{Path(path).name}"
    link.symlink_to(Path(path).absolute())
    return str(link)


def _print_workers(paths: Sequence[str], rounds: int) -> None:
    """How much faster two worker processes are than one, by turns, without their start."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        links = [_link(Path(folder), path, number) for path in paths for number in range(NUM_LINKS)]
        for _ in range(rounds):
            for num_workers, values in seconds.items():
                results = read_clips(map(_request, links), num_workers=num_workers, timeout_seconds=600)
                for _ in range(num_workers):  # the first answers wait for the processes to start
                    next(results)
                start = time.perf_counter()
                num_left = sum(1 for _ in results)
                values.append((time.perf_counter() - start) / num_left)
    one, two = (statistics.median(values) for values in seconds.values())
    print(f"two workers are {one / two:.2f} times as fast as one")


if __name__ == "__main__":
    main()
