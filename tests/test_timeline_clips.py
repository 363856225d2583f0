"""`vidmodel timeline --clips --annotate`: events as videos, and scores drawn in."""

from __future__ import annotations

import json

import av
import pytest

from tests.test_cut_clip import shown
from tests.videos import write_timed_video
from vidmodel_tf.cli import main
from vidmodel_tf.scoring.audit import check_audit
from vidmodel_tf.timelines import cut_events as module


@pytest.fixture
def film(tmp_path):
    return write_timed_video(
        tmp_path / "film.mp4", [number / 25 for number in range(150)], options={"g": "25", "sc_threshold": "0"}
    )


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
    refused = module.InputError("no picture of this range can be decoded")

    class Refusing(module.WorkerProcess):
        def receive(self):
            return refused

    monkeypatch.setattr(module, "WorkerProcess", Refusing)
    assert timeline(plain, film, policy, tmp_path / "out", "--clips") == 0
    errors = capsys.readouterr().err
    assert "vidmodel timeline: film: e1 was not cut out: no picture of this range can be decoded" in errors


def test_copied_cuts_say_how_early_they_begin(plain, film, policy, tmp_path, capsys):
    value = json.loads(policy.read_text())
    head, label = value["rules"][0]["head"], value["rules"][0]["label"]
    truth = {"name": "r", "head": head, "label": label, "on": 0.0, "off": 0.0, "pad_seconds": [0, 0]}
    policy.write_text(json.dumps({"version": 1, "rules": [truth]}))
    assert timeline(plain, film, policy, tmp_path / "out", "--clips", "--copy") == 0
    assert "copied" not in capsys.readouterr().err  # the event begins where the video does
    path = tmp_path / "out" / "film.timeline.json"
    document = json.loads(path.read_text())
    scores = document["heads"][head]["scores"]
    number = document["heads"][head]["labels"].index(label)
    for step, row in enumerate(scores):
        row[number] = float(step * document["settings"]["step_seconds"] >= 2.5)
    path.write_text(json.dumps(document))
    policy.write_text(json.dumps({"version": 1, "rules": [truth | {"on": 0.5, "off": 0.5}]}))
    assert timeline(plain, film, policy, tmp_path / "out", "--clips", "--copy") == 0
    assert "begin at the key frame before their event, up to 0.5 seconds early; film.clips/clips.json" in (
        capsys.readouterr().err
    )
    (cut,) = (tmp_path / "out" / "film.clips").glob("*.mp4")
    assert shown(cut)[0] == (50, 0.0)


def test_copy_and_audit_alone_are_refused(plain, film, tmp_path, capsys):
    command = ["timeline", str(plain.path), str(film), "--out", str(tmp_path / "out")]
    for flags, message in [
        (["--copy"], "--copy says how --clips cuts the events out: expected both. Received: --copy alone"),
        (["--audit", "a.jsonl"], "--audit records what a policy decides: expected --policy too."),
    ]:
        assert main([*command, *flags]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_decisions_are_recorded(plain, film, policy, tmp_path, capsys):
    value = json.loads(policy.read_text())
    value["rules"][0]["decision"] = "review"
    policy.write_text(json.dumps(value))
    log = tmp_path / "audit.jsonl"
    assert timeline(plain, film, policy, tmp_path / "out", "--audit", log) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["video"], line["decision"], line["rule"]) for line in lines] == [
        (str(film), "review", "r0"),
        (str(film), "review", None),
    ]
    assert check_audit(log).fault is None
    log.write_text("no log")
    capsys.readouterr()
    assert timeline(plain, film, policy, tmp_path / "other", "--audit", log) == 2
    assert "expected a last line that is complete" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()  # refused before the long work
