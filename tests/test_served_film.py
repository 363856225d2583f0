"""A film that a server sends as it is, from its first picture on: the frames and scores are those of the file.

Over RTSP the first picture has no timestamp and is passed over. The second is displayed a step after it, so that a
stream that begins with it has the same steps but for the first.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.colour_form import ColourForm
from tests.http_transport_stream import transport_stream
from tests.rtsp_camera import rtsp_server
from tests.test_camera import STEP_SECONDS, watched
from tests.test_rtsp import needs_rtsp_server
from tests.videos import paint_frame, write_timed_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.live import watching
from vidmodel_tf.live.source_scores import SourceScores
from vidmodel_tf.live.watch import watch
from vidmodel_tf.timelines.timeline import timeline

NUM_PICTURES = 110
WINDOW_STEPS = 4
WINDOW_SECONDS = WINDOW_STEPS * STEP_SECONDS
RTSP = pytest.param("rtsp", marks=[pytest.mark.slow, needs_rtsp_server])


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Over four seconds that fade between red and blue, each picture with its number, of I, P and B frames."""
    times = np.r_[0, STEP_SECONDS + np.arange(NUM_PICTURES - 1) / 25]
    blue = 0.5 - 0.5 * np.cos(2 * np.pi * times / 3)
    colors = np.stack([255 - 215 * blue, np.full_like(blue, 40), 40 + 215 * blue], axis=1)
    colors = np.round(255 * colors / colors.max(axis=1, keepdims=True)).astype(int).tolist()
    frames = (paint_frame(number, color=(red, green, blue)) for number, (red, green, blue) in enumerate(colors))
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_timed_video(path, times.tolist(), frames=frames, options={"g": "50", "sc_threshold": "0", "bf": "2"})


FIRST_STEPS = {"http": 0, "rtsp": 1}
"""The step with which a stream begins, by scheme."""


@contextlib.contextmanager
def served(film: Path, scheme: str) -> Iterator[str]:
    """The address at which the film plays."""
    if scheme == "http":
        with transport_stream(film=film) as server:
            yield server.url()
        return
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with rtsp_server(port, film):
        yield f"rtsp://admin:p%40ss%2Fword@127.0.0.1:{port}/cam"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", RTSP])
def test_frames_of_a_stream_are_those_of_its_file(film, scheme):
    with served(film, scheme) as url, watched(url) as camera:
        camera.until(lambda: len(camera.frames) >= 16)
    jpegs = [frame.jpeg for frame in camera.frames]
    assert len(set(jpegs)) == len(jpegs)
    num_steps = FIRST_STEPS[scheme] + len(jpegs)
    request = ClipRequest(
        film,
        num_frames=2 * num_steps,
        short_side=48,
        jpeg_quality=95,
        start_seconds=0.0,
        end_seconds=num_steps * STEP_SECONDS,
    )
    assert jpegs == list(read_clip(request).jpeg_frames[::2])[FIRST_STEPS[scheme] :]


@pytest.mark.parametrize("scheme", ["http", RTSP])
def test_scores_of_a_stream_are_those_of_its_timeline(film, scheme, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "SourceScores", RecordedScores)
    RecordedScores.steps = {}
    (tmp_path / "model").write_text("colours")
    form, stop = ColourForm(tmp_path / "model"), threading.Event()
    with served(film, scheme) as url:
        watch(
            form,
            [url],
            tmp_path / "out",
            window_seconds=WINDOW_SECONDS,
            stop=stop,
            show=lambda line: stop.set() if " lost" in line else None,
        )
    document = timeline(form, film, window_seconds=WINDOW_SECONDS, windows="fixed")
    steps, first = RecordedScores.steps, FIRST_STEPS[scheme]
    # fewer windows cover the steps that a stream begins with, and the last window of a file ends with it
    compared = range(first * WINDOW_STEPS, document.scores.num_steps - WINDOW_STEPS)
    assert sorted(steps)[: compared.stop - first] == list(range(compared.stop - first))
    for head, expected in document.scores.heads.items():
        of_file = expected.scores[compared.start : compared.stop]
        assert np.ptp(of_file, axis=0).max() > 0.3  # or a shift in time would not be noticed
        live = np.array([steps[step - first][head] for step in compared])
        np.testing.assert_allclose(live, of_file, rtol=0, atol=1.01e-4)  # both are rounded to four places


class RecordedScores(SourceScores):
    """Keeps what comes out."""

    steps: dict[int, dict[str, np.ndarray]]

    def push(self, frame):
        step, known = super().push(frame)
        self.steps.update(known.settled)
        return step, known

    def finish(self):
        known = super().finish()
        self.steps.update(known)
        return known
