"""Seconds from a server that is back to the line `connected`, after outages of 2 to 5 seconds.

    PYTHONPATH=. python benchmarks/reconnecting.py [--rounds 10]

The servers run on this machine, and send a film with a key frame every two seconds from its first picture on: MPEG-TS
over HTTP, and RTSP (gst-rtsp-server for the system's Python). In an outage the port refuses, or takes connections and
says nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.http_transport_stream import transport_stream
from tests.rtsp_camera import URL as RTSP_URL
from tests.rtsp_camera import rtsp_server
from tests.videos import write_timed_video
from vidmodel_tf.video.address import parse_address
from vidmodel_tf.video.camera import Camera
from vidmodel_tf.video.camera_process import CameraPlan

STEP_SECONDS = 0.125
Server = Callable[[int, Path], contextlib.AbstractContextManager[object]]


@contextlib.contextmanager
def silence(port: int, kept: list[socket.socket]) -> Iterator[None]:
    """Takes connections and says nothing; they are kept open."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    kept.append(listening.accept()[0])

        listening.settimeout(0.05)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


SERVERS: dict[str, tuple[str, Server]] = {
    "HTTP": ("http://127.0.0.1:{}/live.ts", transport_stream),
    "RTSP": (RTSP_URL, rtsp_server),
}


def measure(url: str, server: Server, film: Path, rounds: int, *, is_silent: bool) -> list[float]:
    """Seconds of each round."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    plan = CameraPlan(parse_address(url.format(port)), STEP_SECONDS, STEP_SECONDS / 4, short_side=64, jpeg_quality=95)
    seconds, kept, chance = [], [], random.Random(0)
    with Camera(plan, 1000) as camera:
        with server(port, film):
            wait_for(lambda: camera.is_connected)
        wait_for(lambda: not camera.is_connected)
        for _ in range(rounds):
            with silence(port, kept) if is_silent else contextlib.nullcontext():
                time.sleep(chance.uniform(2, 5))
            with server(port, film):
                begin = time.monotonic()
                wait_for(lambda: camera.is_connected)
                seconds.append(time.monotonic() - begin)
                time.sleep(0.5)
            wait_for(lambda: not camera.is_connected)
            camera.take()
    return seconds


def wait_for(is_so: Callable[[], bool]) -> None:
    """Looks every hundredth of a second."""
    while not is_so():
        time.sleep(0.01)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        options = {"tune": "zerolatency", "preset": "ultrafast", "g": "50"}
        film = write_timed_video(Path(folder) / "film.mp4", [i / 25 for i in range(1500)], options=options)
        for is_silent in (False, True):
            for name, (url, server) in SERVERS.items():
                seconds = measure(url, server, film, rounds, is_silent=is_silent)
                outage = "silent" if is_silent else "refused"
                print(
                    f"{name} {outage}: median {statistics.median(seconds):.1f}, longest {max(seconds):.1f}", flush=True
                )


if __name__ == "__main__":
    main()
