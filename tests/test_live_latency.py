"""The measurement of `vidmodel watch`: its pictures can be told apart, and it measures."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import av
import pytest

from vidmodel_tf.video.stored_frame import encode_frame

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_numbers_are_read_after_compression_and_reduction():
    spec = importlib.util.spec_from_file_location("numbered_cameras", FOLDER / "numbered_cameras.py")
    assert spec is not None
    assert spec.loader is not None
    cameras = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cameras)
    parts = cameras.compress(300, 25.0)
    assert len(parts) == 300
    with av.open(io.BytesIO(b"".join(parts)), "r") as container:
        pictures = [frame.to_ndarray(width=240, height=180, format="bgr24") for frame in container.decode(video=0)]
    assert [cameras.read_number(encode_frame(picture, 90)) for picture in pictures] == list(range(300))


@pytest.mark.slow
def test_a_row_of_the_table(run_dir):
    command = [sys.executable, str(FOLDER / "live_latency.py"), str(run_dir), "--window", "0.8"]
    done = subprocess.run([*command, "--cameras", "2", "--seconds", "10"], capture_output=True, text=True, check=True)
    row = next(line.split() for line in done.stdout.splitlines() if line.split()[0] == "2")
    assert int(row[1]) > 10
    arrival, painted, line = (float(row[column]) for column in (2, 4, 6))
    assert 0 < arrival < painted < 60_000  # milliseconds; a run has 18 seconds
    assert 0 < line < 60_000
