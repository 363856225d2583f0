"""A live camera for tests: MPEG-TS over HTTP on this machine, in Python alone, with faults that the address asks for.

`/?stall_after=2` sends nothing more after 2 seconds; `close_after`, `dribble_after` (a byte in half a second),
`jump_after` (the timestamps leap by `jump_seconds`), `corrupt` (the share of bytes that are changed), `fps`.
Faults of one kind come again with every connection, unless `times` says with how many.

With a film every connection gets its packets as they are, from the first one, each when it is due.
"""

from __future__ import annotations

import contextlib
import http.server
import random
import threading
import time
import urllib.parse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error

from tests.videos import paint_frame

FPS = 25.0
FOR_EVER_SECONDS = 3600.0
MUX_OPTIONS = {"flush_packets": "1"}


class _Faulty:
    """The body of an answer, as PyAV writes it."""

    def __init__(self, file, faults: dict[str, float], stop: threading.Event) -> None:
        self._file, self._faults, self._stop = file, faults, stop
        self._begin = time.monotonic()
        self._random = random.Random(0)

    def is_due(self, fault: str) -> bool:
        return time.monotonic() - self._begin > self._faults.get(fault, FOR_EVER_SECONDS)

    def write(self, data: bytes) -> int:
        if self._stop.is_set() or self.is_due("close_after"):
            raise BrokenPipeError
        if self.is_due("stall_after"):
            self._stop.wait(self._faults.pop("stall_seconds", FOR_EVER_SECONDS))
            self._faults.pop("stall_after")
        if self.is_due("dribble_after"):
            self._dribble(data)
        else:
            self._send(self._corrupted(bytes(data)))
        return len(data)

    def _dribble(self, data: bytes) -> None:
        for byte in bytes(data):
            self._send(bytes([byte]))
            if self._stop.wait(0.5):
                raise BrokenPipeError

    def _send(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def _corrupted(self, data: bytes) -> bytes:
        share = self._faults.get("corrupt", 0.0)
        if not share or time.monotonic() - self._begin < 1:
            return data
        return bytes(byte ^ self._random.randrange(1, 256) if self._random.random() < share else byte for byte in data)


class TransportStream:
    """The server.

    Args:
        port: To listen at; 0: any.
        film: A video whose packets are sent; None: pictures are painted and encoded without end.

    Attributes:
        connections: How many were opened.
    """

    def __init__(self, port: int = 0, film: Path | None = None) -> None:
        self.connections = 0
        self._film = film
        self.stop = threading.Event()
        stream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                stream.connections += 1
                with contextlib.suppress(OSError, av.error.FFmpegError):
                    stream.answer(self)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def url(self, login: str = "", **faults: float) -> str:
        """The address of a stream with faults."""
        query = urllib.parse.urlencode(faults)
        return f"http://{login}127.0.0.1:{self.port}/live.ts" + (f"?{query}" if query else "")

    def close(self) -> None:
        """As if the camera lost its power."""
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        query = urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query)
        faults = {name: float(value) for name, value in query}
        if self.connections > faults.pop("times", FOR_EVER_SECONDS):
            faults = {}
        handler.send_response(200)
        handler.send_header("Content-Type", "video/mp2t")
        handler.end_headers()
        body = _Faulty(handler.wfile, faults, self.stop)
        if self._film is not None:
            self._remux(body, self._film)
            return
        numbers = paced(faults.get("fps", FPS), self.stop)
        mux_painted(body, numbers, 100.0, lambda: body.is_due("jump_after"))
        mux_painted(body, numbers, 100.0 + faults.get("jump_seconds", 0.0))

    def _remux(self, body: _Faulty, film: Path) -> None:
        with av.open(str(film)) as source, av.open(body, "w", format="mpegts", options=MUX_OPTIONS) as container:
            video = container.add_stream_from_template(source.streams.video[0])
            begin, first_seconds = time.monotonic(), None
            for packet in source.demux(video=0):
                if packet.dts is None:  # the empty one at the end
                    continue
                seconds = float(packet.dts * packet.time_base)
                first_seconds = seconds if first_seconds is None else first_seconds
                if self.stop.wait(max(begin + seconds - first_seconds - time.monotonic(), 0)):
                    return
                packet.stream = video
                container.mux(packet)


def mux_painted(file, numbers: Iterator[tuple[int, float]], first_seconds: float = 0.0, is_over=lambda: False) -> None:
    """Writes a transport stream of painted pictures to something with `write`, each when it comes."""
    tick = Fraction(1, 1000)
    with av.open(file, "w", format="mpegts", options=MUX_OPTIONS) as container:
        options = {"tune": "zerolatency", "preset": "ultrafast", "g": "12"}
        video = container.add_stream("libx264", rate=25, options=options)
        video.width, video.height, video.pix_fmt = 96, 72, "yuv420p"
        video.codec_context.time_base = tick
        for number, seconds in numbers:
            frame = av.VideoFrame.from_ndarray(paint_frame(number), format="rgb24")
            frame.pts, frame.time_base = round((first_seconds + seconds) / tick), tick
            container.mux(video.encode(frame))
            if is_over():
                return


def paced(fps: float, stop: threading.Event) -> Iterator[tuple[int, float]]:
    """The numbers of frames and when they are due, at that time."""
    begin, number = time.monotonic(), 0
    while not stop.wait(max(begin + number / fps - time.monotonic(), 0)):
        yield number, number / fps
        number += 1


@contextlib.contextmanager
def transport_stream(port: int = 0, film: Path | None = None) -> Iterator[TransportStream]:
    """A server that is closed at the end."""
    server = TransportStream(port, film)
    try:
        yield server
    finally:
        server.close()
