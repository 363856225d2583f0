from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.timeline_documents import make_document
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.audit import AuditLog, check_audit
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.timelines.decide import decide_folder
from vidmodel_tf.timelines.document import read_document, write_document
from vidmodel_tf.timelines.outputs import write_outputs

POLICY = {
    "version": 1,
    "rules": [
        {"name": "fight", "head": "label", "label": "fight", "decision": "review"},
        {"name": "guard", "head": "label", "label": "fight", "on": 0.85, "decision": "call_guard"},
    ],
    "video": [
        {"name": "long", "head": "label", "label": "fight", "reject_score": 0.8, "reject_over_seconds": 2},
    ],
}
TRACKS = {"bad": [0.1, 0.8, 0.9, 0.8, 0.1], "calm": [0.1, 0.2, 0.1], "short": [0.1, 0.7, 0.7, 0.1]}


def document_of(track, name="film", head="label"):
    scores = {head: {"fight": track, "calm": [1 - score for score in track]}}
    return make_document(f"/films/{name}.mp4", scores=scores, step_seconds=1.0, duration_seconds=float(len(track)))


@pytest.fixture
def folder(tmp_path):
    """Three timelines."""
    folder = tmp_path / "out"
    for name, track in TRACKS.items():
        write_outputs(folder, name, document_of(track, name))
    return folder


@pytest.fixture
def policy_path(tmp_path):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(POLICY))
    return path


def test_documents_and_what_lies_beside_them_are_written_anew(folder, policy_path, capsys):
    scores = read_document(folder / "bad.timeline.json").to_json()["heads"]
    assert main(["decide", str(folder), "--policy", str(policy_path), "--json"]) == 0
    answers = {answer["name"]: answer for answer in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {name: answer["decision"] for name, answer in answers.items()} == {
        "bad": "reject",
        "calm": "accept",
        "short": "review",
    }
    assert [reason["rule"] for reason in answers["bad"]["reasons"]] == ["long", "fight", "guard"]
    for name, answer in answers.items():
        document = read_document(folder / f"{name}.timeline.json")
        assert (document.decision, document.video.path) == (answer["decision"], answer["video"])
        assert [event.to_json() for event in document.events] == answer["events"]
        assert len((folder / f"{name}.csv").read_text().splitlines()) == 1 + len(document.events)
        assert (folder / f"{name}.vtt").read_text().count("-->") == len(document.events)
        assert '"call_guard"' in (folder / f"{name}.html").read_text()  # the rules are the page's sliders
    assert read_document(folder / "bad.timeline.json").to_json()["heads"] == scores


def test_a_second_time_gives_the_same_files(folder):
    policy = Policy.from_json(POLICY)
    list(decide_folder(folder, policy))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    list(decide_folder(folder, policy))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_audit_log_names_all_that_led_to_a_decision(folder, tmp_path):
    log, policy = AuditLog(tmp_path / "audit.jsonl"), Policy.from_json(POLICY)
    list(decide_folder(folder, policy, log))
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["video"], line["decision"], line["rule"]) for line in lines] == [
        ("/films/bad.mp4", "reject", "long"),
        ("/films/bad.mp4", "review", "fight"),
        ("/films/bad.mp4", "call_guard", "guard"),
        ("/films/bad.mp4", "reject", None),
        ("/films/calm.mp4", "accept", None),
        ("/films/short.mp4", "review", "fight"),
        ("/films/short.mp4", "review", None),
    ]
    first = {key: value for key, value in lines[0].items() if key != "time"}
    assert first == {
        "number": 1,
        "previous": "0" * 64,
        "video": "/films/bad.mp4",
        "video_sha256": "0" * 64,
        "decision": "reject",
        "rule": "long",
        "head": "label",
        "label": "fight",
        "score": 0.9,
        "threshold": 0.8,
        "seconds": 3.0,
        "event": None,
        "model": "f" * 16,
        "policy": policy.fingerprint,
    }
    assert lines[1]["event"] == "e1"
    assert {line["time"][-6:] for line in lines} == {"+00:00"}
    assert check_audit(log.path).fault is None


def test_where_nobody_asked_for_a_decision_none_is_recorded(folder, tmp_path):
    log = AuditLog(tmp_path / "audit.jsonl")
    rules = [rule for rule in POLICY["rules"] if rule["name"] == "guard"]
    decided = list(decide_folder(folder, Policy.from_json({"version": 1, "rules": rules}), log))
    assert {video.judgement.decision for video in decided} == {None}
    assert [json.loads(line)["decision"] for line in log.path.read_text().splitlines()] == ["call_guard"]


def test_a_record_of_nothing_is_refused(folder, tmp_path, capsys):
    (tmp_path / "policy.json").write_text('{"version": 1, "rules": [{"name": "a", "head": "label", "label": "fight"}]}')
    command = ["decide", str(folder), "--policy", str(tmp_path / "policy.json"), "--audit", str(tmp_path / "a.jsonl")]
    assert main(command) == 2
    assert '"decision", or with rules for whole videos. Received: one that decides nothing' in capsys.readouterr().err
    assert not (tmp_path / "a.jsonl").exists()


def test_a_damaged_log_stops_before_files_are_written(folder, tmp_path, policy_path, capsys):
    (tmp_path / "audit.jsonl").write_text('{"number": 1, "prev')
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    command = ["decide", str(folder), "--policy", str(policy_path), "--audit", str(tmp_path / "audit.jsonl")]
    assert main(command) == 2
    assert "cut off while it was written" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_policy_that_does_not_fit_every_timeline_changes_none(folder):
    write_document(folder / "short.timeline.json", document_of([0.9, 0.9], head="mood"))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match=r"short\.timeline\.json: .*'fight': expected one of the heads 'mood'\. "):
        decide_folder(folder, Policy.from_json(POLICY))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_a_killed_process_left_is_not_a_timeline(folder):
    (folder / ".bad.timeline.x1.timeline.json").write_text("{")
    assert [decided.name for decided in decide_folder(folder, Policy.from_json(POLICY))] == ["bad", "calm", "short"]


def test_the_table(folder, policy_path, capsys):
    assert main(["decide", str(folder), "--policy", str(policy_path)]) == 0
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in capsys.readouterr().out.splitlines()]
    assert ["short", "review", "1", "review by fight: fight 0.7 >= 0.6 in e1, 2 s"] in rows
    assert ["calm", "accept", "0", ""] in rows


def test_the_table_has_one_reason_for_each_rule(tmp_path, policy_path, capsys):
    track = [0.7, 0.7, 0.1, 0.1, 0.1, 0.79, 0.1, 0.1, 0.1, 0.6]
    write_outputs(tmp_path, "many", document_of(track))
    assert main(["decide", str(tmp_path), "--policy", str(policy_path)]) == 0
    assert "│ review by fight: fight 0.79 >= 0.6 in e2, 1 s (2 more) │" in capsys.readouterr().out


def test_a_folder_without_timelines(tmp_path, policy_path, capsys):
    assert main(["decide", str(tmp_path), "--policy", str(policy_path)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}: expected NAME.timeline.json files, as `vidmodel timeline` leaves them. Received: none" in error


def test_deciding_needs_neither_tensorflow_nor_keras(folder, policy_path):
    script = f"""
import sys
from vidmodel_tf.cli import main
code = main(["decide", {str(folder)!r}, "--policy", {str(policy_path)!r}])
print(code, sorted({{"tensorflow", "keras"}} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "0 []"
