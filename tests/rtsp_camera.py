"""An RTSP camera on this machine, with user and password; run by the system's own Python."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

URL = "rtsp://admin:p%40ss%2Fword@127.0.0.1:{}/cam"  # of a port
SYSTEM_PYTHON = "/usr/bin/python3"  # for which alone gst-rtsp-server can be installed
IMPORTS = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def has_server() -> bool:
    """Whether it is installed."""
    with contextlib.suppress(OSError):
        return subprocess.run([SYSTEM_PYTHON, "-c", IMPORTS], capture_output=True).returncode == 0
    return False


@contextlib.contextmanager
def rtsp_server(port: int, film: Path) -> Iterator[None]:
    """Sends the packets of a film at their own pace until the context ends."""
    script = str(Path(__file__).with_name("rtsp_server.py"))
    command = [SYSTEM_PYTHON, script, str(port), "admin", "p@ss/word", str(film)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield
        finally:
            server.kill()
