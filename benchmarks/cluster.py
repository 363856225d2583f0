"""Clips a second of `prepare` on this machine, and on 1, 2 and 4 simulated Ray nodes of it; what the driver needs.

    pip install ".[cluster]" && python benchmarks/cluster.py [--clips 80]

The clips are drawn: 10 seconds of H.264, 640 x 360, 25 pictures a second. The rate is that of many clips less that of
few, so that the start of processes does not count; each is the shorter of two measurements. All nodes share the cores
of this machine: where there are more nodes than cores, the table shows what the cluster costs, and not what it gains.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.records.prepare import prepare

FEW = 16
SETTINGS = PrepareConfig(words=())  # 32 frames a clip, short side 256


@dataclasses.dataclass(frozen=True)
class Measured:
    seconds: float
    driver_seconds: float  # of a processor
    worker_seconds: float  # likewise, of processes that the driver has started; those on nodes are Ray's
    num_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=80, help="(default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _draw_clips(folder / "many", options.clips)
        _draw_clips(folder / "few", FEW)
        print(
            "| where | clips a second | processor seconds a clip | of the driver | MB a clip |\n|---|---|---|---|---|"
        )
        for num_workers in (1, 2):
            _print_row(f"this machine, worker processes: {num_workers}", folder, options.clips, num_workers, None)
        for num_nodes in (1, 2, 4):
            with _ray_nodes(num_nodes) as address:
                _print_row(f"nodes of one core: {num_nodes}", folder, options.clips, 0, address)


def _print_row(where: str, folder: Path, num_clips: int, num_workers: int, address: str | None) -> None:
    few, many = (_shorter_of_two(folder / name, num_workers, address) for name in ("few", "many"))
    more = num_clips - FEW
    rate = more / (many.seconds - few.seconds)
    driver = (many.driver_seconds - few.driver_seconds) / more
    workers = (many.worker_seconds - few.worker_seconds) / more
    size = many.num_bytes / num_clips / 1e6
    shown = "" if address else f"{workers:.3f}"
    print(f"| {where} | {rate:.1f} | {shown} | {driver:.4f} | {size:.2f} |", flush=True)


def _shorter_of_two(videos: Path, num_workers: int, address: str | None) -> Measured:
    measured = [_measure(videos, num_workers, address) for _ in range(2)]
    return min(measured, key=lambda each: each.seconds)


def _measure(videos: Path, num_workers: int, address: str | None) -> Measured:
    out = videos.with_name("out")
    start, driver, workers = time.perf_counter(), time.process_time(), _worker_seconds()
    prepare(videos, out, dataclasses.replace(SETTINGS, num_workers=num_workers), cluster=address)
    measured = time.perf_counter() - start, time.process_time() - driver, _worker_seconds() - workers
    num_bytes = sum(path.stat().st_size for path in out.glob("*.tfrecord*"))
    shutil.rmtree(out)
    return Measured(*measured, num_bytes)


def _worker_seconds() -> float:
    """Of all that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def _ray_nodes(num_nodes: int) -> Iterator[str]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 200_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(num_nodes - 1):
            cluster.add_node(**node)
        yield cluster.address
    finally:
        cluster.shutdown()


def _draw_clips(folder: Path, num_clips: int) -> None:
    for number in range(num_clips):
        label = folder / "ab"[number % 2]
        label.mkdir(parents=True, exist_ok=True)
        _draw_clip(label / f"{number}.mp4", number)


def _draw_clip(path: Path, seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (640, 360), interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(250):
            picture = np.roll(scene, 3 * number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
