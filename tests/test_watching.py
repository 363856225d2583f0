"""Watching with a model of Python alone: what the log says, whom it tells, and how it ends."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.http_transport_stream import transport_stream
from tests.processes import children_of, is_running
from tests.videos import read_frame_number, read_jpeg, write_video
from tests.watched import MODEL, PLAN, FakePass
from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.live.damaged_pictures import DamagedPictures
from vidmodel_tf.live.event_log import NAME, EventLog
from vidmodel_tf.live.repeated_pictures import RepeatedPictures
from vidmodel_tf.live.source import make_sources
from vidmodel_tf.live.watching import Outputs, watch_sources
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.rule import Rule

PATIENCE_SECONDS = 60
POLICY = Policy((Rule(name="fight", head="label", label="fight", min_seconds=0.5),))


def read_log(folder: Path) -> list[dict]:
    if not (folder / NAME).exists():
        return []
    return [json.loads(line) for line in (folder / NAME).read_text(encoding="utf-8").splitlines()]


def kinds(lines: list[dict]) -> list[str]:
    return [line["type"] for line in lines]


def kinds_but_updates(lines: list[dict]) -> list[str]:
    """Whether an event is confirmed before a watch is ended depends on the machine."""
    return [kind for kind in kinds(lines) if kind != "update"]


def watch(folder: Path, *urls: str, policy: Policy = POLICY, **outputs) -> list[dict]:
    warnings: list[str] = []
    watch_sources(
        MODEL,
        make_sources(urls),
        policy,
        Outputs(folder, **outputs),
        stop=threading.Event(),
        warn=warnings.append,
    )
    assert not warnings
    return read_log(folder)


@dataclass(frozen=True)
class Film:
    """What was found in a film with a fight from 0.5 to 1.5 seconds and one from 2.5 to 3.5 seconds."""

    folder: Path
    lines: list[dict]
    told: str
    preview: Path

    def of_type(self, kind: str) -> list[dict]:
        return [line for line in self.lines if line["type"] == kind]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    video = write_video(folder / "film.mp4", num_frames=400, fps=100, first_number=50)
    rule = Rule(
        name="fight",
        head="label",
        label="fight",
        on=0.55,
        off=0.55,
        min_seconds=0.4,
        gap_seconds=0.3,
        decision="alarm",
        cooldown_seconds=60,
    )
    told, preview = folder / "told.txt", folder / "now.png"
    script = f"cat >> {told}; echo >> {told}"
    lines = watch(folder / "out", str(video), policy=Policy((rule,)), run=f"bash -c '{script}'", preview=preview)
    return Film(folder / "out", lines, told.read_text(encoding="utf-8"), preview)


def test_lines_of_a_file_with_two_fights(film):
    assert kinds(film.lines) == ["connected", *["start", "notify", "update", "end"] * 2]
    ids = [line["event"] for line in film.lines]
    assert ids[0] is None
    assert ids[1] == ids[2] == ids[3] == ids[4] != ids[5] == ids[6] == ids[7] == ids[8]
    assert [line["confirmed"] for line in film.lines[1:]] == [False, False, True, True] * 2
    assert {line["source"] for line in film.lines} == {"cam1"}
    assert {line["decision"] for line in film.lines[1:]} == {"alarm"}


def test_times_are_those_of_the_mean_over_windows(film):
    """Worked out here from the painted numbers."""
    step = PLAN.step_seconds
    numbers = 50 + np.floor(100 * PLAN.frame_times(0, 33) + 1e-6).astype(int)
    windows = np.convolve(numbers // 100 % 2 == 1, np.full(4, 0.25), "valid")
    means = np.convolve(windows, np.ones(4)) / np.convolve(np.ones(len(windows)), np.ones(4))
    changes = np.flatnonzero(np.diff(np.round(means, 4) >= 0.55)) + 1
    found = [(end["start_seconds"], end["end_seconds"]) for end in film.of_type("end")]
    assert len(changes) == 4
    np.testing.assert_allclose(np.ravel(found), changes * step, atol=1e-3)


def test_one_event_one_notification_and_what_is_not_sent_is_logged(film):
    first, second = film.of_type("notify")
    assert [json.loads(line) for line in film.told.splitlines() if line] == [first]
    assert (first["sent"], first["reason"], first["rule"]) == (True, None, "fight")
    assert not second["sent"]
    assert "cooldown_seconds is 60" in second["reason"]


def test_picture_and_cut_show_the_event(film):
    for number, end in enumerate(film.of_type("end")):
        picture = read_jpeg((film.folder / end["picture"]).read_bytes())
        assert read_frame_number(picture) // 100 == 1 + 2 * number
        with av.open(str(film.folder / end["cut"])) as cut:
            frames = list(cut.decode(video=0))
        numbers = [read_frame_number(frame.to_ndarray(format="rgb24")) for frame in frames]
        assert set(np.diff(numbers)) == {12}  # steps of 0.12 seconds at 100 pictures a second
        np.testing.assert_allclose(np.diff([frame.time for frame in frames]), PLAN.step_seconds, atol=1e-3)
        assert 0 <= numbers[0] - 50 - 100 * end["start_seconds"] < 12
        assert 0 <= 100 * end["end_seconds"] - (numbers[-1] - 50) < 12


def test_preview(film):
    assert cv2.imread(str(film.preview)).shape == (240, 320, 3)
    assert [path.name for path in film.preview.parent.iterdir() if path.name.startswith(".")] == []


class Watch:
    """A watch in a process of its own."""

    def __init__(self, folder: Path, *urls: str, options: str = "") -> None:
        script = (
            "from pathlib import Path\n"
            "from tests.test_watching import POLICY, make_sources, MODEL, Outputs, watch_sources\n"
            "from vidmodel_tf.live.stop_on_signals import stop_on_signals\n"
            "with stop_on_signals() as stop:\n"
            f"    watch_sources(MODEL, make_sources({list(urls)!r}), POLICY,\n"
            f"        Outputs(Path({str(folder)!r}){options}), stop=stop, warn=print)\n"
        )
        self.folder = folder
        self.process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)

    def until(self, is_done: Callable[[list[dict]], bool]) -> list[dict]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_done(lines := read_log(self.folder)):
            assert time.monotonic() < deadline, lines
            assert self.process.poll() is None
            time.sleep(0.1)
        return lines

    def end(self, how: int) -> int:
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def fight(tmp_path) -> str:
    """A file with a fight from second 1 on that does not end."""
    return str(write_video(tmp_path / "fight.mp4", num_frames=2000, fps=25, first_number=75))


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_signals_end_it_without_a_child_left(tmp_path, how):
    with transport_stream() as server:
        watch = Watch(tmp_path / "out", server.url(), str(write_video(tmp_path / "film.mp4", num_frames=2000)))
        watch.until(lambda lines: kinds(lines).count("connected") == 2)
        children = children_of(watch.process.pid)
        assert len(children) >= 2
        assert watch.end(how) == 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, children))


@pytest.mark.slow
def test_an_event_goes_on_until_it_is_stopped(tmp_path, fight):
    watch = Watch(tmp_path / "out", fight)
    watch.until(lambda lines: "notify" in kinds(lines))
    watch.end(signal.SIGTERM)
    lines = read_log(tmp_path / "out")
    assert kinds_but_updates(lines) == ["connected", "start", "notify", "end"]
    assert lines[-1]["reason"] == "stopped"
    assert (tmp_path / "out" / lines[-1]["picture"]).is_file()


@pytest.mark.slow
def test_a_kill_and_a_restart(tmp_path, fight):
    first = Watch(tmp_path / "out", fight)
    first.until(lambda lines: "notify" in kinds(lines))
    first.end(signal.SIGKILL)
    second = Watch(tmp_path / "out", fight)
    lines = second.until(lambda lines: kinds(lines).count("notify") == 2)
    second.end(signal.SIGTERM)
    assert kinds_but_updates(lines) == ["connected", "start", "notify", "end", "connected", "start", "notify"]
    assert lines[3]["reason"] == "restart"
    assert lines[3]["event"] == lines[1]["event"] != lines[5]["event"]


def test_a_full_disk_ends_it(tmp_path, monkeypatch):
    video = write_video(tmp_path / "film.mp4", num_frames=100)
    monkeypatch.setattr(EventLog, "_append", raise_full)
    with pytest.raises(VidmodelError, match="cannot be written"):
        watch(tmp_path / "out", str(video))


def raise_full(log: EventLog, line: str) -> None:
    raise VidmodelError(f"{log.path} cannot be written (No space left on device)")


@pytest.mark.slow
def test_hooks_that_fail_or_hang_end_nothing(tmp_path):
    video = write_video(tmp_path / "fights.mp4", num_frames=250, fps=50, first_number=50)
    warnings: list[str] = []
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        outputs = Outputs(tmp_path / "out", run="sleep 600", webhook=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        watch_sources(MODEL, make_sources([str(video)]), POLICY, outputs, stop=threading.Event(), warn=warnings.append)
    lines = read_log(tmp_path / "out")
    assert kinds_but_updates(lines)[:4] == ["connected", "start", "notify", "end"]
    dropped = next(line for line in lines if line["type"] == "dropped")
    assert (dropped["event"], dropped["what"], dropped["reason"]) == (lines[1]["event"], "--run", "the watch ended")
    assert f"--run: the notification of {lines[1]['event']} did not arrive: the watch ended" in warnings


@pytest.mark.slow
def test_a_stream_that_breaks_ends_the_event(tmp_path):
    """The stream ends within a fight and does not come back for longer than the gap."""
    with transport_stream() as server:
        watch = Watch(tmp_path / "out", server.url())
        watch.until(lambda lines: "start" in kinds(lines))
        server.close()
        lines = watch.until(lambda lines: "end" in kinds(lines))
        watch.end(signal.SIGTERM)
    assert kinds_but_updates(lines) == ["connected", "start", "notify", "lost", "end"]
    assert "reason" not in lines[-1]


@pytest.mark.slow
def test_a_camera_loses_no_frame_by_others_that_are_dead_or_stall(tmp_path):
    passes: list[FakePass] = []

    def begin_pass() -> FakePass:
        passes.append(FakePass())
        return passes[-1]

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
        dead = f"rtsp://127.0.0.1:{closed.getsockname()[1]}/1"
    warnings: list[str] = []
    stop, connections = threading.Event(), []

    def show(line: str) -> None:
        connections.extend([line] if "stalling connected" in line else [])
        if len(connections) == 2:
            stop.set()

    with transport_stream() as stalling, transport_stream() as healthy:
        sources = make_sources([dead, stalling.url(stall_after=1.5), healthy.url()], ["dead", "stalling", "healthy"])
        model = dataclasses.replace(MODEL, begin_pass=begin_pass)
        outputs, seconds = Outputs(tmp_path), PATIENCE_SECONDS
        watch_sources(model, sources, POLICY, outputs, stop=stop, seconds=seconds, warn=warnings.append, show=show)
    told = [(line["source"], line["type"]) for line in read_log(tmp_path) if line["type"] in ("connected", "lost")]
    assert sorted(told) == [
        ("dead", "lost"),
        ("healthy", "connected"),
        *[("stalling", "connected")] * 2,
        ("stalling", "lost"),
    ]
    (numbers,) = [one.numbers for one in passes if one.numbers and one.numbers[-1] > 75]  # the others have 1.5 seconds
    assert len(numbers) > 30
    assert set(np.diff(numbers)) == {3}  # a step, at 25 pictures a second
    assert warnings == []


def test_pictures_that_repeat_are_told_once():
    warnings: list[str] = []
    repeats = RepeatedPictures("door", 0.125, warnings.append)
    for number in range(400):
        repeats.push(b"%d" % (number // 4))  # two pictures a second
    assert len(warnings) == 1
    assert "door: most pictures are the same as the one before" in warnings[0]
    assert "8.0 a second" in warnings[0]
    for number in range(400):
        repeats.push(b"%d" % (number // 2 + 1000))  # four a second: half of them repeat
    assert len(warnings) == 1


def test_damage_is_told_at_most_once_a_minute():
    warnings: list[str] = []
    damage = DamagedPictures("door", warnings.append)
    for second, total in [(0, 0), (1, 2), (2, 5), (60, 9), (61, 9), (122, 9), (200, 10)]:
        damage.push(total, 1000.0 + second)
    assert [line.partition(" were")[0] for line in warnings] == [
        "door: 2 packets or pictures",
        "door: 7 packets or pictures",
        "door: 1 packets or pictures",
    ]


def test_it_needs_no_tensorflow():
    script = "import sys, vidmodel_tf.live.watching; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"
