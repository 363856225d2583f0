"""A camera over real RTSP, with user and password."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.test_camera import STEP_SECONDS, watched

SYSTEM_PYTHON = "/usr/bin/python3"
IMPORTS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def has_server() -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run([SYSTEM_PYTHON, "-c", IMPORTS], capture_output=True).returncode == 0
    return False


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_server(), reason="gst-rtsp-server for the system's Python is not installed"),
]


@pytest.fixture
def port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def rtsp_server(port: int) -> Iterator[None]:
    command = [SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py")), str(port), "admin", "p@ss/word"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            server.kill()


def test_a_camera_that_comes_back(port):
    with contextlib.ExitStack() as server:
        server.enter_context(rtsp_server(port))
        with watched(f"rtsp://admin:p%40ss%2Fword@127.0.0.1:{port}/cam") as camera:
            camera.until(lambda: len(camera.frames) >= 12)
            server.close()
            camera.until(lambda: camera.kinds == ["connected", "lost"])
            num_before = len(camera.frames)
            server.enter_context(rtsp_server(port))
            camera.until(lambda: len(camera.frames) >= num_before + 12)
    assert camera.kinds == ["connected", "lost", "connected"]
    seconds = np.array([frame.seconds for frame in camera.frames[:num_before]])
    np.testing.assert_allclose(np.diff(seconds), STEP_SECONDS, atol=1e-6)


def test_a_wrong_password_is_told_and_not_shown(port):
    with rtsp_server(port), watched(f"rtsp://admin:wr%40ng@127.0.0.1:{port}/cam") as camera:
        camera.until(lambda: camera.kinds == ["lost"])
    reason = camera.news[0].reason
    assert "401" in reason or "uthoriz" in reason
    assert "wr@ng" not in reason
    assert "wr%40ng" not in reason
