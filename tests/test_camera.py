"""A camera over a real connection on this machine: frames at regular times, faults of the network, what is left."""

from __future__ import annotations

import contextlib
import functools
import http.server
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest

from tests.http_transport_stream import transport_stream
from tests.processes import workers_of
from tests.videos import frame_numbers, paint_frame, write_timed_video, write_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video import camera_process, camera_reader
from vidmodel_tf.video.address import parse_address
from vidmodel_tf.video.camera import Camera, CameraNews, LiveFrame, wait_seconds
from vidmodel_tf.video.camera_process import CameraPlan
from vidmodel_tf.video.camera_reader import CameraReader
from vidmodel_tf.video.live_pictures import _decode, live_pictures

STEP_SECONDS = 0.12  # three pictures at 25 a second
PATIENCE_SECONDS = 60  # of tests, on a machine that is busy


class Watched:
    """A camera, and all that it gave."""

    def __init__(self, url: str, max_waiting: int = 100, **arguments) -> None:
        self.wake = threading.Event()
        self.plan = CameraPlan(parse_address(url), STEP_SECONDS, STEP_SECONDS / 4, short_side=48, jpeg_quality=95)
        self.camera = Camera(self.plan, max_waiting, self.wake, **arguments)
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
    assert set(np.diff(frame_numbers(frame.jpeg for frame in camera.frames))) == {3}


@pytest.mark.slow
def test_a_camera_that_lost_its_power_comes_back():
    with transport_stream() as server:
        port = server.port
        with watched(server.url()) as camera:
            camera.until(lambda: len(camera.frames) >= 4)
            server.close()
            camera.until(lambda: camera.kinds == ["connected", "lost"])
            assert not camera.camera.is_connected
            num_before, (reader,) = len(camera.frames), workers_of()
            time.sleep(3)  # it is refused some times
            with transport_stream(port):
                camera.until(lambda: len(camera.frames) >= num_before + 6)
            assert workers_of() == [reader]
    assert camera.kinds == ["connected", "lost", "connected"]
    assert [number for number, frame in enumerate(camera.frames) if frame.is_fresh] == [0, num_before]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"close_after": 1.5}, "the connection broke off"),
        pytest.param({"stall_after": 1.5}, "nothing came for 3 seconds", marks=pytest.mark.slow),
        pytest.param({"dribble_after": 1.5}, "nothing came for 3 seconds", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_faults_of_a_connection(fault, reason):
    with transport_stream() as server, watched(server.url(**fault, times=1)) as camera:
        camera.until(lambda: camera.kinds == ["connected", "lost", "connected"])
        assert reason in camera.news[1].reason
        num_before = len(camera.frames)
        camera.until(lambda: len(camera.frames) >= num_before + 6)


@pytest.mark.slow
def test_a_short_stall_is_no_loss():
    with transport_stream() as server, watched(server.url(stall_after=2, stall_seconds=1.2)) as camera:
        camera.until(lambda: len(camera.frames) >= 30)
    assert camera.kinds == ["connected"]


@pytest.mark.slow
def test_a_process_that_gives_nothing_is_killed():
    # A stream of sound alone opens, and never gives a picture.
    with transport_stream() as server, watched(server.url(fps=0.05), silent_seconds=3) as camera:
        camera.until(lambda: "lost" in camera.kinds)
    assert camera.frames == []


@pytest.mark.slow
def test_a_port_that_answers_nobody():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as black_hole:
        port = black_hole.getsockname()[1]
        for scheme in ("rtsp", "http"):
            with watched(f"{scheme}://admin:s3cret@127.0.0.1:{port}/1") as camera:
                camera.until(lambda camera=camera: "lost" in camera.kinds)
            assert "no answer" in camera.news[0].reason


def test_refused_without_a_password():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    with watched(f"rtsp://admin:s3cret@127.0.0.1:{port}/1") as camera:
        camera.until(lambda: camera.kinds == ["lost"])
    assert camera.news[0].reason == "Connection refused"


@pytest.mark.slow
def test_a_process_is_replaced_after_many_tries(monkeypatch):
    monkeypatch.setattr(camera_reader, "MAX_TRIES", 2)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    reader, pids = CameraReader(Watched(f"rtsp://127.0.0.1:{port}/1").plan, silent_seconds=8), []
    for _ in range(3):
        with pytest.raises(VidmodelError, match="Connection refused"):
            list(reader.read())
        pids += workers_of()
    reader.end()
    assert pids[0] == pids[1] != pids[2]
    assert workers_of() == []


@pytest.mark.slow
def test_damaged_bytes_end_nothing():
    with transport_stream() as server, watched(server.url(corrupt=0.003)) as camera:
        camera.until(lambda: len(camera.frames) >= 30 and camera.camera.num_corrupt > 0)
    assert camera.kinds[0] == "connected"


@pytest.mark.parametrize(
    "seconds", [-50, *(pytest.param(seconds, marks=pytest.mark.slow) for seconds in (30, 100_000))]
)
def test_a_clock_that_jumps_begins_a_fresh_window(seconds):
    with transport_stream() as server, watched(server.url(jump_after=1.5, jump_seconds=seconds)) as camera:
        camera.until(lambda: sum(frame.is_fresh for frame in camera.frames) == 2 and not camera.frames[-1].is_fresh)
    assert camera.kinds == ["connected"]


@pytest.mark.slow
def test_a_backlog_is_dropped_whole_and_counted():
    with transport_stream() as server, watched(server.url(), max_waiting=5) as camera:
        camera.until(lambda: len(camera.frames) > 0)
        time.sleep(2)  # the model is busy
        camera.until(lambda: "dropped" in camera.kinds and len(camera.frames) > 20)
    dropped = [news.seconds for news in camera.news if news.kind == "dropped"]
    assert sum(dropped) == pytest.approx(camera.camera.dropped_seconds)
    assert set(dropped) == {5 * STEP_SECONDS}
    numbers = frame_numbers(frame.jpeg for frame in camera.frames)
    assert [bool(gap) for gap in np.diff(numbers) > 3] == [frame.is_fresh for frame in camera.frames[1:]]


def test_pictures_over_http_have_no_timestamps():
    """FFmpeg makes them up, 25 a second, whatever comes."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EightPicturesASecond) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        with watched(f"http://127.0.0.1:{server.server_address[1]}/") as camera:
            camera.until(lambda: len(camera.frames) >= 24)
        server.shutdown()
    first, last = frame_numbers(frame.jpeg for frame in (camera.frames[3], camera.frames[23]))
    assert last - first == pytest.approx(20 * STEP_SECONDS * 8, abs=6)  # as made up, it would be 60


class EightPicturesASecond(http.server.BaseHTTPRequestHandler):
    """A camera that sends one JPEG after the other."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            for number in range(1000):
                jpeg = cv2.imencode(".jpg", paint_frame(number))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                time.sleep(max(begin + (number + 1) / 8 - time.monotonic(), 0))


def test_a_playlist_is_refused(tmp_path):
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_bytes(playlist)
    handler = functools.partial(QuietFiles, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with watched(f"http://127.0.0.1:{server.server_address[1]}/list.m3u8") as camera:
            camera.until(lambda: camera.kinds == ["lost"])
        server.shutdown()
    assert "a playlist is not" in camera.news[0].reason


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    """A server of files."""

    def log_message(self, *arguments):
        pass


def test_a_file_gives_the_frames_that_a_clip_of_it_has(tmp_path):
    video = write_video(tmp_path / "film.mp4", num_frames=26)
    with watched(str(video)) as camera:
        camera.until(lambda: "ended" in camera.kinds)
        assert camera.camera.is_ended
    num_steps = 8
    request = ClipRequest(
        video,
        num_frames=2 * num_steps,
        short_side=48,
        jpeg_quality=95,
        start_seconds=0.0,
        end_seconds=num_steps * STEP_SECONDS,
    )
    clip = read_clip(request)
    assert [frame.jpeg for frame in camera.frames[:num_steps]] == list(clip.jpeg_frames[::2])


def test_a_file_that_is_no_video_ends_with_the_reason(tmp_path):
    (tmp_path / "text.mp4").write_text("words")
    with watched(str(tmp_path / "text.mp4")) as camera:
        camera.until(lambda: camera.kinds == ["ended"])
    assert "It is a text file" in camera.news[0].reason


def test_a_pause_in_a_file_is_a_still_picture(tmp_path):
    """Longer than a process may be silent; frames come all the time, so that none are too many at once."""
    times = np.r_[np.arange(10), 110 + np.arange(10)] / 25
    video = write_timed_video(tmp_path / "film.mp4", times.tolist())
    with watched(str(video), silent_seconds=2, max_waiting=20) as camera:
        camera.until(lambda: "ended" in camera.kinds)
    assert [(news.kind, news.reason) for news in camera.news] == [("connected", ""), ("ended", "")]
    steps = (np.arange(40) + 0.25) * STEP_SECONDS
    expected = np.searchsorted(times, steps[steps < 4.8], side="right") - 1
    assert frame_numbers(frame.jpeg for frame in camera.frames) == expected.tolist()


def test_a_file_is_known_to_be_read_before_its_first_picture(tmp_path):
    calls: list[None] = []
    pictures = live_pictures(parse_address(str(write_video(tmp_path / "film.mp4"))), lambda: calls.append(None))
    next(pictures)
    assert len(calls) >= 40


def test_a_slow_machine_does_not_change_the_times_of_a_file(tmp_path, monkeypatch):
    plan = Watched(str(write_video(tmp_path / "film.mp4"))).plan
    clock = itertools.count(100_000, 2)  # seconds, a picture
    monkeypatch.setattr(camera_process, "time", mock.Mock(time=lambda: 0.0, monotonic=lambda: next(clock)))
    seconds = [frame.seconds for frame in camera_process.frames_on_grid(plan, lambda: None)]
    np.testing.assert_allclose(seconds, (np.arange(14) + 0.25) * STEP_SECONDS)


def test_a_file_whose_reader_dies_ends(tmp_path):
    with watched(str(write_video(tmp_path / "film.mp4", num_frames=1000))) as camera:
        camera.until(lambda: len(camera.frames) >= 2)
        (reader,) = workers_of()
        os.kill(reader, signal.SIGKILL)
        camera.until(lambda: "ended" in camera.kinds)
    assert camera.kinds == ["connected", "ended"]
    assert camera.news[-1].reason == "the process that reads it died"


def test_a_file_has_not_ended_before_the_reason_is_there(tmp_path, monkeypatch):
    camera = Watched(str(write_video(tmp_path / "film.mp4"))).camera
    ended: list[bool] = []
    monkeypatch.setattr(camera, "_news", mock.Mock(append=lambda _: ended.append(camera.is_ended)))
    camera._end("it broke")
    assert (ended, camera.is_ended) == ([False], True)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGSTOP])
def test_a_reader_that_dies_or_hangs_is_begun_again(stop):
    with transport_stream() as server, watched(server.url(), silent_seconds=3) as camera:
        camera.until(lambda: len(camera.frames) >= 2)
        (reader,) = workers_of()
        os.kill(reader, stop)
        camera.until(lambda: camera.kinds == ["connected", "lost", "connected"])
        assert reader not in workers_of()
    assert workers_of() == []


@pytest.mark.slow
def test_twenty_reconnects_leave_nothing_behind():
    with transport_stream() as server, watched(server.url(close_after=1.5)) as camera:
        memory = []
        for round_number in range(1, 21):
            camera.until(lambda number=round_number: camera.kinds.count("connected") >= number)
            assert len(workers_of()) <= 1
            memory.append(resident_bytes())
    assert memory[-1] - memory[5] < 20_000_000
    assert workers_of() == []


def resident_bytes() -> int:
    """Bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_no_password_in_the_arguments_of_the_reader():
    with transport_stream() as server, watched(server.url(login="admin:s3cret@")) as camera:
        camera.until(lambda: len(camera.frames) >= 2)
        (reader,) = workers_of()
        assert b"s3cret" not in Path(f"/proc/{reader}/cmdline").read_bytes()
        assert b"s3cret" not in Path(f"/proc/{reader}/environ").read_bytes()


def test_the_reader_needs_no_tensorflow():
    script = "import sys, vidmodel_tf.video.camera_process; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"


def test_waiting_grows_after_a_minute():
    waits, outage, wait = [], 0.0, 1.0
    while outage < 300:
        wait = wait_seconds(outage, wait)
        waits.append(wait)
        outage += wait
    assert waits == [1.0] * 60 + [2.0, 4.0, 8.0, 16.0] + [30.0] * 7


@pytest.mark.parametrize(
    ("timestamps", "expected"),
    [
        ([None, 4, 8], [4, 8]),  # RTSP gives the first picture none
        ([0, 4, None, 12], [0, 4, 12]),
        ([None] * 12, [None] * 4),  # a stream without any: the time of arrival counts
    ],
)
def test_a_picture_without_a_timestamp_among_others_is_passed_over(timestamps, expected):
    frames = [mock.Mock(pts=pts, is_corrupt=False) for pts in timestamps]
    packets = [mock.Mock(is_corrupt=False, decode=lambda frame=frame: [frame]) for frame in frames]
    container = mock.Mock(duration=None, demux=lambda stream: packets)
    container.format.flags, container.streams.video = 0, [mock.Mock(time_base=Fraction(1, 4))]
    seconds = [picture.seconds for picture in _decode(container)]
    assert seconds == [None if pts is None else pts / 4 for pts in expected]


def test_a_camera_of_this_machine(monkeypatch):
    """No machine that runs the tests can be expected to have one."""
    pixels = np.full((4, 4, 3), 7, np.uint8)
    capture = mock.Mock()
    capture.isOpened.return_value = True
    capture.read.side_effect = [(True, pixels), (True, pixels), (False, None)]
    open_capture = mock.Mock(return_value=capture)
    monkeypatch.setattr(cv2, "VideoCapture", open_capture)
    pictures = live_pictures(parse_address("2"))
    first = next(pictures)
    open_capture.assert_called_once_with(2)
    assert first.seconds is None  # the time of arrival counts
    np.testing.assert_array_equal(first.pixels(), pixels)
    with pytest.raises(VidmodelError, match="camera 2 of this machine gives no more pictures"):
        list(pictures)
    capture.release.assert_called_once_with()
