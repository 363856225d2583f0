"""Processor time of reading clips, beside that of an older checkout.

    python benchmarks/decoding.py OLD_CHECKOUT VIDEO... [--pairs 5]

Old and new read the same files in turn, each in a process of its own; printed is the median of the ratios new / old,
for a whole clip as `prepare` reads it (32 frames) and as `predict` does (16 of 32).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[1]
MEASURE = """
import json, sys, time
files, num_slots = sys.argv[2:], int(sys.argv[1])
try:
    from vidmodel_tf.clips.clip_request import ClipRequest
    from vidmodel_tf.clips.read_clip import read_clip
    slots = None if num_slots == 32 else tuple(range(0, 32, 32 // num_slots))
    read = lambda path: read_clip(ClipRequest(path, 32, 256, 95, slots=slots))
except ImportError:
    try:
        from vidmodel_tf.clips.read_clip import decode_clip
    except ImportError:
        from vidmodel_tf.clips.video import decode_clip
    read = lambda path: decode_clip(path, num_frames=32, short_side=256, jpeg_quality=95)
import cv2
cv2.setNumThreads(1)
read(files[0])
start = time.process_time()
for file in files:
    read(file)
print(json.dumps(time.process_time() - start))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="a checkout to compare with")
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    for name, num_slots in (("prepare, 32 frames", 32), ("predict, 16 of 32 frames", 16)):
        ratios = []
        for _ in range(options.pairs):
            old = _seconds(Path(options.old), num_slots, options.videos)
            new = _seconds(HERE, num_slots, options.videos)
            ratios.append(new / old)
        print(f"{name}: {statistics.median(ratios):.3f} times the old processor time ({len(ratios)} pairs)")


def _seconds(checkout: Path, num_slots: int, videos: list[str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(num_slots), *(str(Path(video).absolute()) for video in videos)],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "PATH": ""},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
