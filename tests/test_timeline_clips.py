"""`vidmodel timeline --clips --annotate`: events as videos, and scores drawn in."""

from __future__ import annotations

import json

import av
import pytest

from tests.test_cut_clip import shown
from tests.videos import write_timed_video
from vidmodel_tf.cli import main
from vidmodel_tf.timelines import cut_events as module


@pytest.fixture
def film(tmp_path):
    return write_timed_video(tmp_path / "film.mp4", [number / 25 for number in range(150)], options={"g": "25"})


@pytest.fixture
def policy(plain, tmp_path):
    """Every class is an event from the start to the end."""
    ((head, labels),) = [(head, plain.labels[head]) for head in list(plain.labels)[:1]]
    rules = [
        {"name": f"r{number}", "head": head, "label": label, "on": 0.0, "off": 0.0}
        for number, label in enumerate(labels)
    ]
    (tmp_path / "policy.json").write_text(json.dumps({"version": 1, "rules": rules[:2], "video": []}))
    return tmp_path / "policy.json"


def timeline(plain, film, policy, out, *flags):
    arguments = ("timeline", plain.path, film, "--out", out, "--window", 1, "--windows", "fixed", "--policy", policy)
    return main([str(argument) for argument in (*arguments, *flags)])


def test_events_become_videos_and_scores_are_drawn_in(plain, film, policy, tmp_path, capsys):
    assert timeline(plain, film, policy, tmp_path / "out", "--clips", "--annotate", "--json") == 0
    (answer,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answer["warnings"] == []
    cuts = sorted((tmp_path / "out" / "film.clips").glob("*.mp4"))
    assert len(cuts) == len(answer["events"]) == 2
    assert [number for number, _ in shown(cuts[0])] == list(range(150))
    assert (tmp_path / "out" / "film.clips" / "events.jpg").exists()
    with av.open(str(tmp_path / "out" / "film.annotated.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 150


def test_without_the_flags_no_video_is_written(plain, film, policy, tmp_path):
    assert timeline(plain, film, policy, tmp_path / "out") == 0
    assert not list((tmp_path / "out").rglob("*.mp4"))


def test_what_cannot_be_cut_is_told(plain, film, policy, tmp_path, capsys, monkeypatch):
    def refuse(*_):
        raise module.InputError("no picture of this range can be decoded")

    monkeypatch.setattr(module, "encode_range", refuse)
    assert timeline(plain, film, policy, tmp_path / "out", "--clips") == 0
    errors = capsys.readouterr().err
    assert "vidmodel timeline: film: e1 was not cut out: no picture of this range can be decoded" in errors
