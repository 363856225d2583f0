"""A camera over real RTSP, with user and password."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.rtsp_camera import URL, has_server, rtsp_server
from tests.test_camera import watched
from tests.videos import frame_numbers, write_timed_video

needs_rtsp_server = pytest.mark.skipif(
    not has_server(), reason="gst-rtsp-server for the system's Python is not installed"
)
pytestmark = [pytest.mark.slow, needs_rtsp_server]


@pytest.fixture
def port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Two minutes at 25 pictures a second, with a key frame every half second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    options = {"tune": "zerolatency", "preset": "ultrafast", "g": "12"}
    return write_timed_video(path, (np.arange(3000) / 25).tolist(), options=options)


def test_a_camera_that_comes_back(port, film):
    with contextlib.ExitStack() as server:
        server.enter_context(rtsp_server(port, film))
        with watched(URL.format(port)) as camera:
            camera.until(lambda: len(camera.frames) >= 12)
            server.close()
            camera.until(lambda: camera.kinds == ["connected", "lost"])
            num_before = len(camera.frames)
            server.enter_context(rtsp_server(port, film))
            camera.until(lambda: len(camera.frames) >= num_before + 12)
    assert camera.kinds == ["connected", "lost", "connected"]
    for frames in (camera.frames[:num_before], camera.frames[num_before:]):
        assert [frame.is_fresh for frame in frames] == [True] + [False] * (len(frames) - 1)
        assert set(np.diff(frame_numbers(frame.jpeg for frame in frames))) == {3}  # a step, at 25 pictures a second


def test_a_wrong_password_is_told_and_not_shown(port, film):
    with rtsp_server(port, film), watched(f"rtsp://admin:wr%40ng@127.0.0.1:{port}/cam") as camera:
        camera.until(lambda: camera.kinds == ["lost"])
    reason = camera.news[0].reason
    assert "401" in reason or "uthoriz" in reason
    assert "wr@ng" not in reason
    assert "wr%40ng" not in reason
