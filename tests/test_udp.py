"""An encoder that sends by UDP, where packets get lost and nobody says that it is the end."""

from __future__ import annotations

import contextlib
import socket

import numpy as np
import pytest

from tests.processes import workers_of
from tests.test_camera import watched
from tests.udp_transport_stream import udp_stream
from tests.videos import frame_numbers

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_lost_packets_are_counted_and_end_nothing(port):
    with udp_stream(port, lost_share=0.01) as sender, watched(f"udp://127.0.0.1:{port}") as camera:
        camera.until(lambda: camera.camera.num_corrupt >= 3 and len(camera.frames) >= 60)
        assert camera.kinds == ["connected"]
        assert sender.num_lost > 0
        numbers = np.array(frame_numbers(frame.jpeg for frame in camera.frames))
        assert np.mean(np.diff(numbers) == 3) > 0.5  # a step, where nothing was lost
        assert not np.any(np.diff(numbers) < 0)


def test_a_sender_that_falls_silent_is_lost_and_comes_back(port):
    with udp_stream(port) as sender, watched(f"udp://127.0.0.1:{port}") as camera:
        camera.until(lambda: len(camera.frames) >= 4)
        reader = workers_of()
        sender.is_silent.set()
        camera.until(lambda: camera.kinds == ["connected", "lost"])
        assert camera.news[1].reason == "nothing came for 3 seconds"
        sender.is_silent.clear()
        num_before = len(camera.frames)
        camera.until(lambda: len(camera.frames) >= num_before + 4)
        assert workers_of() == reader
    assert camera.kinds == ["connected", "lost", "connected"]
    assert [row for row, frame in enumerate(camera.frames) if frame.is_fresh] == [0, num_before]
