"""`vidmodel watch` with a trained model: the same events as `timeline` of the same video, and its command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.videos import write_timed_video, write_video
from vidmodel_tf.cli import main

BLUE, RED = (40, 40, 255), (255, 40, 40)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Blue, red from second 2 to second 4, and blue."""
    times = np.arange(150) / 25
    frames = (np.full((72, 96, 3), RED if 2 <= seconds < 4 else BLUE, np.uint8) for seconds in times)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_timed_video(path, times.tolist(), frames=frames)


def events_of(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["type"] == "end"]


def test_a_watched_file_has_the_events_of_its_timeline(run_dir, film, tmp_path, capsys):
    rules = [
        {"name": "red", "head": "colour", "label": "red", "on": 0.5, "off": 0.5, "min_seconds": 0.2, "gap_seconds": 0.2}
    ]
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": 1, "rules": rules}))
    arguments = ["--policy", str(policy), "--text", "a film", "--window", "0.8"]
    assert main(["watch", str(run_dir), str(film), "--out", str(tmp_path / "live"), "--name", "门口", *arguments]) == 0
    printed = capsys.readouterr()
    assert "the model reads the words of description, tags, subtitles too, and gets none" in printed.err
    assert "门口 start red" in printed.out
    assert (
        main(["timeline", str(run_dir), str(film), "--out", str(tmp_path / "file"), "--windows", "fixed", *arguments])
        == 0
    )
    document = json.loads((tmp_path / "file" / "film.timeline.json").read_text(encoding="utf-8"))
    watched = events_of(tmp_path / "live" / "events.jsonl")
    assert len(document["events"]) == len(watched) == 1
    for expected, event in zip(document["events"], watched, strict=True):
        assert {event[key] for key in ("rule", "head", "label")} == {"red", "colour"}
        assert event["source"] == "门口"
        for key in ("start_seconds", "end_seconds", "peak_seconds"):
            assert event[key] == pytest.approx(expected[key], abs=1e-3)
        assert event["score"] == pytest.approx(expected["score"], abs=1e-4)


def test_it_ends_after_some_seconds(run_dir, film, tmp_path):
    begin = time.monotonic()
    assert main(["watch", str(run_dir), str(film), "--out", str(tmp_path), "--window", "0.8", "--seconds", "0.1"]) == 0
    assert time.monotonic() - begin < 60


@pytest.mark.slow
def test_a_signal_ends_the_command(run_dir, tmp_path):
    film = write_video(tmp_path / "film.mp4", num_frames=4000)
    command = [sys.executable, "-m", "vidmodel_tf", "watch", str(run_dir), str(film), "--out", str(tmp_path / "out")]
    log = tmp_path / "out" / "events.jsonl"
    with subprocess.Popen([*command, "--window", "0.8"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().endswith("cam1 connected\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert log.read_text(encoding="utf-8").endswith("}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such.mp4"], "there is no such file"),
        ([], "expected a URL, or a file of URLs"),
        (["0", "--seconds", "0"], "--seconds: expected more than 0"),
        (["0", "--policy", "no-such.json"], "no-such.json"),
        (["rtsp://admin:s3/cret@cam/1"], "write % escapes"),
        (["--seconds", "0", "0"], "--seconds: expected more than 0"),
        (["--urls", "no-such.txt"], "no-such.txt"),
    ],
)
def test_wrong_arguments_are_told_before_the_model_is_opened(arguments, message, tmp_path, capsys):
    assert main(["watch", "no-such-model", *arguments, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "s3/cret" not in told
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_video_is_told_before_the_model_is_opened(tmp_path, capsys):
    (tmp_path / "policy.json").write_text("{}")
    assert main(["watch", "no-such-model", str(tmp_path / "policy.json"), "--out", str(tmp_path / "out")]) == 2
    assert "policy.json: expected a video. It is a text file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_password_in_a_usage_error(capsys):
    with pytest.raises(SystemExit):
        main(["watch", "model", "rtsp://cam/1", "--out", "out", "rtsp://admin:s3cret@cam/2"])
    told = capsys.readouterr().err
    assert "unrecognized arguments: rtsp://***@cam/2" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preview", "now.gif"], "--preview: expected the name of a .jpg or .jpeg or .png file"),
        (["--run", ""], "--run: expected a program that can be run. Received: ''"),
        (["--run", "no-such-program"], "--run: expected a program that can be run"),
        (["--webhook", "ftp://host"], "--webhook: expected an http or https address"),
    ],
)
def test_wrong_hooks(run_dir, film, arguments, message, tmp_path, capsys):
    assert main(["watch", str(run_dir), str(film), "--out", str(tmp_path), "--window", "0.8", *arguments]) == 2
    assert message in capsys.readouterr().err
