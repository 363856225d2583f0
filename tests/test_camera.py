"""A camera over a real connection on this machine: frames at regular times, faults of the network, what is left."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import numpy as np

from tests.http_transport_stream import transport_stream
from tests.videos import frame_numbers
from vidmodel_tf.video.address import parse_address
from vidmodel_tf.video.camera import Camera, CameraNews, LiveFrame
from vidmodel_tf.video.camera_process import CameraPlan

STEP_SECONDS = 0.12  # three pictures at 25 a second
PATIENCE_SECONDS = 60  # of tests, on a machine that is busy


class Watched:
    """A camera, and all that it gave."""

    def __init__(self, url: str, max_waiting: int = 100, **arguments) -> None:
        self.wake = threading.Event()
        plan = CameraPlan(parse_address(url), STEP_SECONDS, STEP_SECONDS / 4, short_side=48, jpeg_quality=95)
        self.camera = Camera(plan, max_waiting, self.wake, **arguments)
        self.frames: list[LiveFrame] = []
        self.news: list[CameraNews] = []

    def until(self, is_done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_done():
            assert time.monotonic() < deadline, f"{len(self.frames)} frames, {self.kinds}"
            self.wake.wait(0.5)
            self.wake.clear()
            news, frames = self.camera.take()
            self.news += news
            self.frames += frames

    @property
    def kinds(self) -> list[str]:
        return [news.kind for news in self.news]


@contextlib.contextmanager
def watched(url: str, **arguments):
    watched = Watched(url, **arguments)
    with watched.camera:
        yield watched


def test_frames_come_at_regular_times():
    with transport_stream() as server, watched(server.url()) as camera:
        camera.until(lambda: len(camera.frames) >= 12)
    assert camera.kinds == ["connected"]
    assert [frame.is_fresh for frame in camera.frames] == [True] + [False] * (len(camera.frames) - 1)
    np.testing.assert_allclose(np.diff([frame.seconds for frame in camera.frames]), STEP_SECONDS, atol=1e-6)
    assert set(np.diff(frame_numbers(frame.jpeg for frame in camera.frames))) == {3}
