"""Decoders of `prepare` that are killed, as where memory runs out: no good file is refused, and no other suffers."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.videos import write_video
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.prepare import prepare

NAMES = [f"{label}/{number}.mp4" for label in ("red", "blue") for number in range(3)]
CONFIG = PrepareConfig(num_stored_frames=8, short_side=48, num_workers=2)


def write_videos(folder: Path) -> Path:
    """Large enough that a kill comes while they are decoded."""
    for first_number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(folder / name, num_frames=30, size=(640, 480), first_number=100 * first_number)
    return folder


@contextlib.contextmanager
def killer(times: dict[str, int]) -> Iterator[dict[str, int]]:
    """Kills whichever child has a file open, as often as `times` says by the file's name; gives what is left."""
    left, is_done = dict(times), threading.Event()

    def kill() -> None:
        while not is_done.wait(0.001):
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.Error):
                    for name in {Path(file.path).name for file in child.open_files()} & left.keys():
                        if left[name]:
                            left[name] -= 1
                            os.kill(child.pid, signal.SIGKILL)
                            while child.status() != psutil.STATUS_ZOMBIE:
                                pass

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield left
    finally:
        is_done.set()
        thread.join()


def shards(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(data.glob("*.tfrecord*"))}


def test_a_file_whose_decoder_is_killed_once_is_stored_all_the_same(tmp_path):
    videos = write_videos(tmp_path / "videos")
    prepare(videos, tmp_path / "whole" / "data", CONFIG)
    with killer({"0.mp4": 1, "1.mp4": 1, "2.mp4": 1}) as left:
        report = prepare(videos, tmp_path / "killed" / "data", CONFIG)
    assert set(left.values()) == {0}
    assert report.refused == {}
    assert shards(tmp_path / "killed" / "data") == shards(tmp_path / "whole" / "data")
    assert len(shards(tmp_path / "whole" / "data")) >= 2


@pytest.mark.slow
def test_a_file_whose_decoder_is_always_killed_is_named_and_no_other(tmp_path):
    videos = write_videos(tmp_path / "videos")
    (videos / "red" / "0.mp4").rename(videos / "red" / "bad.mp4")
    with killer({"bad.mp4": 2}) as left:
        report = prepare(videos, tmp_path / "data", CONFIG)
    assert left == {"bad.mp4": 0}
    assert report.refused == {"red/bad.mp4": "the decoder crashed on it (signal SIGKILL, out of memory?)"}
    assert len(open_data_set(tmp_path / "data").clips) == len(NAMES) - 1
