"""Cameras for measurements: one H.264 stream over HTTP, compressed beforehand, each picture with its number.

The server is a process of its own, so that it shares no interpreter with what is measured, and serving costs next to
nothing: there is no other work in it than waiting until a picture is due.
"""

from __future__ import annotations

import contextlib
import http.server
import multiprocessing
import time
from fractions import Fraction
from multiprocessing.connection import Connection
from typing import Any

import av
import cv2
import numpy as np

WIDTH, HEIGHT, NUM_BITS = 320, 240, 16


def paint(number: int, background: np.ndarray) -> np.ndarray:
    """A picture, uint8 RGB [H, W, 3], with its number as a row of 16 black or white blocks."""
    picture = np.roll(background, number, axis=1)
    bits = [number >> bit & 1 for bit in range(NUM_BITS)]
    picture[: HEIGHT // 4] = np.repeat(np.array(bits, np.uint8) * 255, WIDTH // NUM_BITS)[:, np.newaxis]
    return picture


def read_number(jpeg: bytes) -> int:
    """The number that is painted into a picture of whatever size."""
    gray: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    row = gray[gray.shape[0] // 8]
    columns = (np.arange(NUM_BITS) + 0.5) * len(row) / NUM_BITS
    return sum(1 << bit for bit, column in enumerate(columns) if row[int(column)] > 127)


def compress(num_pictures: int, rate: float) -> list[bytes]:
    """A transport stream, in the parts that belong to each picture."""
    blocks = np.random.default_rng(0).integers(0, 256, (HEIGHT // 20, WIDTH // 20, 3), np.uint8)
    background = np.kron(blocks, np.ones((20, 20, 1), np.uint8))
    stream = _Parts()
    container = av.open(stream, "w", format="mpegts", options={"flush_packets": "1"})
    options = {"tune": "zerolatency", "preset": "ultrafast", "g": str(round(rate))}
    video = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000), options=options)
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    for number in range(num_pictures):
        frame = av.VideoFrame.from_ndarray(paint(number, background), format="rgb24")
        frame.pts, frame.time_base = round(number / rate * 90_000), Fraction(1, 90_000)
        container.mux(video.encode(frame))
        stream.parts.append(b"")
    container.close()
    return stream.parts[:num_pictures]


class _Parts:
    """Takes what PyAV writes."""

    def __init__(self) -> None:
        self.parts = [b""]

    def write(self, data: bytes) -> int:
        self.parts[-1] += bytes(data)
        return len(data)


def serve(connection: Connection, sent: Any, num_pictures: int, rate: float) -> None:
    """Serves `/K/live.ts` until the process ends; notes in `sent` when the pictures of camera K were there."""
    parts = compress(num_pictures, rate)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            first = int(self.path.split("/")[1]) * num_pictures
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            begin = time.monotonic()
            with contextlib.suppress(OSError):
                for number, part in enumerate(parts):
                    time.sleep(max(begin + number / rate - time.monotonic(), 0))
                    sent[first + number] = time.time()
                    self.wfile.write(part)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    connection.send(server.server_address[1])
    server.serve_forever()


class Cameras:
    """The server, in a process of its own."""

    def __init__(self, max_cameras: int, num_pictures: int, rate: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._sent = context.Array("d", max_cameras * num_pictures, lock=False)
        self._num_pictures = num_pictures
        self._connection, other = context.Pipe()
        arguments = other, self._sent, num_pictures, rate
        self._process = context.Process(target=serve, args=arguments, daemon=True)

    def __enter__(self) -> Cameras:
        self._process.start()
        self._port = self._connection.recv()
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.join()

    def urls(self, count: int) -> list[str]:
        return [f"http://127.0.0.1:{self._port}/{number}/live.ts" for number in range(count)]

    def sent_at(self, camera: int, number: int) -> float:
        """When the server had a picture, in seconds since 1970."""
        return self._sent[camera * self._num_pictures + number]
