"""Timelines of videos: the files, going on after a kill, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest

from tests.videos import write_timed_video
from vidmodel_tf.cli import main
from vidmodel_tf.errors import InputError
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.run_folder.most_frequent import most_frequent_classes
from vidmodel_tf.run_folder.run import load_run, write_settings, write_weights
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.scoring.windows import plan_windows
from vidmodel_tf.timelines import make_timelines, score_video
from vidmodel_tf.timelines.document import read_document
from vidmodel_tf.timelines.timeline import plan_for, policy_for, timeline


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "影片 1.mp4"
    return write_timed_video(path, [i / 25 for i in range(510)])


def test_a_timeline_has_a_row_a_step_and_the_facts_of_its_video(plain, film):
    document = timeline(plain.path, film, window_seconds=1.0, windows="fixed")
    assert document.settings.step_seconds == 0.25
    assert document.settings.hop_seconds == 0.25
    assert document.video.duration_seconds == pytest.approx(20.4)
    assert (document.video.width, document.video.height, document.video.num_frames) == (96, 72, 510)
    assert document.scores.num_steps == 82  # the last one cut short
    assert [(shot.start_seconds, shot.end_seconds) for shot in document.shots] == [(0.0, 20.4)]
    scores = document.scores.heads["colour"].scores
    np.testing.assert_array_equal(scores[-1], scores[-2])
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=2e-4)  # rounded to four places


def test_windows_are_as_long_as_the_clips_of_the_training_data(plain):
    assert plan_for(plain, None, None).window_seconds == plain.clip_seconds.median
    with pytest.raises(InputError, match=r"does not say how long its training clips were .* --window SECONDS"):
        plan_for(dataclasses.replace(plain, clip_seconds=None), None, None)


def test_a_video_shorter_than_a_window_is_one_clip(plain, film):
    document = timeline(plain.path, film, window_seconds=30.0)
    (answer,) = predict(plain.path, [film])
    for head, scores in document.scores.heads.items():
        expected = list(answer.heads[head].scores.values())
        np.testing.assert_allclose(scores.scores, [expected] * scores.scores.shape[0], atol=1e-4)


def test_a_killed_pass_goes_on_where_it_was(plain, film, tmp_path, monkeypatch):
    form, plan = open_model(plain.path), plan_windows(4, 8, 1.0)
    whole = score_video.score_video(form, film, plan)
    monkeypatch.setattr(score_video, "CHUNKS_A_SAVE", 2)
    partial = score_video.Partial(tmp_path / "state.npz", "key")
    encoded, partial_was_read, original = [], [], form.encode

    def encode(frames, previous=None):
        if sum(encoded) == 48 and not partial_was_read:
            raise KeyboardInterrupt
        encoded.append(frames.shape[1])
        return original(frames, previous)

    monkeypatch.setattr(form, "encode", encode)
    with pytest.raises(KeyboardInterrupt):
        score_video.score_video(form, film, plan, partial=partial)
    assert partial.path.exists()
    encoded.clear()
    partial_was_read.append(True)
    other = dataclasses.replace(partial, key="another")
    assert other.read() is None
    result = score_video.score_video(form, film, plan, partial=partial)
    assert sum(encoded) == 81 - 32
    assert result.cuts == whole.cuts
    for head, scores in whole.scores.heads.items():
        np.testing.assert_allclose(result.scores.heads[head].scores, scores.scores, atol=1e-4)


def test_a_damaged_state_is_not_used(tmp_path):
    partial = score_video.Partial(tmp_path / "state.npz", "key")
    partial.write({"a": np.arange(3)})
    assert partial.read()["a"].tolist() == [0, 1, 2]
    partial.path.write_bytes(partial.path.read_bytes()[:50])
    assert partial.read() is None


def test_the_command_writes_the_files_and_does_not_score_again(plain, film, tmp_path, monkeypatch, capsys):
    out, policy = tmp_path / "out", tmp_path / "policy.json"
    command = ["timeline", str(plain.path), str(film), "--out", str(out), "--window", "1", "--json"]
    assert main(command) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["name"] == "影片 1"
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        f"影片 1.{suffix}" for suffix in ("csv", "html", "timeline.json", "vtt")
    ]
    document = read_document(out / "影片 1.timeline.json")
    assert document.model.fingerprint == fingerprint(plain.path)
    assert [event.to_json() for event in document.events] == made["events"]

    monkeypatch.setattr(make_timelines, "score_task", None)  # calling it would fail
    rule = {"name": "blue", "head": "colour", "label": "蓝色", "on": 0.0, "off": 0.0, "decision": "review"}
    policy.write_text(json.dumps({"version": 1, "rules": [rule]}), encoding="utf-8")
    assert main([*command, "--policy", str(policy)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["decision"], len(again["events"])) == ("review", 1)


def test_videos_of_one_name_keep_apart(plain, film, tmp_path, capsys):
    other = write_timed_video(tmp_path / "影片 1.mp4", [i / 25 for i in range(60)])
    out = str(tmp_path / "out")
    for _ in range(2):
        assert main(["timeline", str(plain.path), str(film), str(other), "--out", out, "--window", "1", "--json"]) == 0
        names = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
        assert names == ["影片 1", "影片 1-2"]


def test_truth_is_measured(plain, film, tmp_path, capsys):
    truth = tmp_path / "truth.csv"
    truth.write_text(f"path,start_seconds,end_seconds,head,label\n{film},2,5,colour,red\n", encoding="utf-8")
    command = ["timeline", str(plain.path), str(film), "--out", str(tmp_path / "out"), "--window", "1"]
    assert main([*command, "--truth", str(truth), "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["num_videos"] == 1
    assert main([*command, "--truth", str(truth)]) == 0
    assert "base rate" in capsys.readouterr().out


def test_what_is_refused(plain, film, tmp_path, capsys):
    out, text = str(tmp_path / "out"), tmp_path / "text.mp4"
    text.write_text("no video")
    command = ["timeline", str(plain.path), str(film), "--out", out]
    for arguments, message in [
        ([*command, "--hop", "9", "--window", "1"], "--hop: expected more than 0 and at most the 1 seconds"),
        ([*command, "--window", "-1"], "--window: expected more than 0 seconds. Received: -1"),
        ([*command, "--policy", "no.json"], "no.json"),
        ([*command, "--truth", "no.csv"], "no.csv"),
        (["timeline", "no_run", str(film), "--out", out], "there is no model at no_run"),
    ]:
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert main(["timeline", str(plain.path), str(text), "--out", out, "--window", "1", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "expected a video. It is a text file"


def test_without_a_policy_the_most_frequent_class_has_no_rule(plain, data_set):
    training = open_data_set(data_set).in_split("train")
    assert plain.most_frequent == most_frequent_classes(training, plain.labels)
    counts = {name: sum(clip.labels["colour"] == name for clip in training) for name in plain.labels["colour"]}
    ordinary = max(counts, key=counts.__getitem__)
    watched = [(rule.head, rule.label) for rule in policy_for(plain).rules]
    others = [name for name in plain.labels["colour"] if name != ordinary]
    assert watched == [("colour", name) for name in others] + [("topic", name) for name in plain.labels["topic"]]
    older = dataclasses.replace(plain, most_frequent={})
    assert len(policy_for(older).rules) == len(plain.labels["colour"]) + len(plain.labels["topic"])


def test_a_fingerprint_follows_weights_and_settings(plain, tmp_path):
    copy = dataclasses.replace(plain, path=tmp_path / "copy")
    write_settings(copy)
    model = plain.load_model()
    write_weights(copy.path, model)
    first = fingerprint(copy.path)
    weights = model.get_weights()
    weights[-1] = weights[-1] + 1
    model.set_weights(weights)
    write_weights(copy.path, model)
    second = fingerprint(copy.path)
    write_settings(dataclasses.replace(load_run(copy.path), thresholds={"topic": [0.1, 0.9]}))
    assert len({first, second, fingerprint(copy.path)}) == 3


def test_a_kill_between_the_files_and_their_key_does_not_mix_settings(plain, film, tmp_path, monkeypatch):
    form, out = open_model(plain.path), tmp_path / "out"
    policy = policy_for(plain)

    def made_with(window_seconds):
        (made,) = make_timelines.make_timelines(form, [film], out, plan_windows(4, 8, window_seconds), policy)
        return made.document.settings.window_seconds

    assert made_with(2.0) == 2.0
    original = make_timelines.write_text
    monkeypatch.setattr(make_timelines, "write_text", lambda path, text: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        made_with(4.0)
    monkeypatch.setattr(make_timelines, "write_text", original)
    assert made_with(2.0) == 2.0
    assert read_document(out / f"{film.stem}.timeline.json").settings.window_seconds == 2.0
    assert not list(out.glob(".*.npz"))


def test_what_killed_processes_left_is_removed_and_nothing_else(plain, film, tmp_path):
    arguments = (open_model(plain.path), [film], tmp_path, plan_windows(4, 8, 2.0), policy_for(plain))
    names = [".影片 1.timeline.abcdefgh.json", "..影片 1.partial.abcdefgh.npz", ".影片 1.annotated.abcdefgh.mp4"]
    others = [".bashrc", ".another.key", ".another.partial.npz", ".another.abcdefgh.html"]
    for name in (*names, *others):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    list(make_timelines.make_timelines(*arguments))
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert left == {".影片 1.key", *others}


def test_a_video_that_was_moved_has_its_new_path(plain, film, tmp_path):
    form, out, moved = open_model(plain.path), tmp_path / "out", tmp_path / film.name
    plan, policy = plan_windows(4, 8, 2.0), policy_for(plain)
    list(make_timelines.make_timelines(form, [film], out, plan, policy))
    moved.write_bytes(film.read_bytes())
    (made,) = make_timelines.make_timelines(form, [moved], out, plan, policy)
    assert made.document.video.path == str(moved)
    assert read_document(out / f"{film.stem}.timeline.json").video.path == str(moved)


def test_what_cannot_be_cut_or_drawn_is_a_warning(plain, film, tmp_path, monkeypatch):
    def refuse(*arguments, **named):
        raise InputError("no such file", subject="film.mp4")

    monkeypatch.setattr(make_timelines, "cut_events", refuse)
    monkeypatch.setattr(make_timelines, "annotate", refuse)
    arguments = (open_model(plain.path), [film, film], tmp_path / "out", plan_windows(4, 8, 2.0), policy_for(plain))
    made = list(make_timelines.make_timelines(*arguments, clips=True, annotated=True))
    assert len(made) == 2
    assert made[0].warnings == (
        "no event was cut out: film.mp4: no such file",
        "its scores were not drawn in: film.mp4: no such file",
    )


def test_a_long_name_with_an_early_dot(plain, tmp_path):
    path = write_timed_video(tmp_path / f"Vol. 1 {'影' * 42}.mp4", [i / 25 for i in range(60)])
    arguments = (open_model(plain.path), [path], tmp_path / "out", plan_windows(4, 8, 1.0), policy_for(plain))
    (made,) = make_timelines.make_timelines(*arguments)
    assert (tmp_path / "out" / f"{made.name}.html").exists()


def test_a_video_shorter_than_a_step_has_a_size(plain, tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", [0.0, 0.04])
    document = timeline(plain.path, path, window_seconds=1.0)
    assert (document.video.width, document.video.height) == (96, 72)
    assert document.scores.num_steps == 1


@pytest.mark.slow
def test_a_video_that_cannot_be_begun_late_is_begun_anew(plain, film, tmp_path, monkeypatch):
    form, plan = open_model(plain.path), plan_windows(4, 8, 1.0)
    whole = score_video.score_video(form, film, plan)
    monkeypatch.setattr(score_video, "CHUNKS_A_SAVE", 2)
    partial = score_video.Partial(tmp_path / "state.npz", "key")
    score_video.score_video(form, film, plan, partial=partial)
    assert partial.path.exists()
    original = score_video.StepReader
    begun = []

    def opened(path, plan, prepare, first_step, num_refused):
        begun.append(first_step)
        reader = original(path, plan, prepare, first_step, num_refused)
        reader.video = dataclasses.replace(reader.video, can_begin_late=False)
        return reader

    monkeypatch.setattr(score_video, "StepReader", opened)
    again = score_video.score_video(form, film, plan, partial=partial)
    assert begun == [64, 0]
    np.testing.assert_array_equal(again.scores.heads["colour"].scores, whole.scores.heads["colour"].scores)


def test_a_video_without_a_picture_that_can_be_decoded_is_refused(plain, film, tmp_path):
    path, content = tmp_path / "a.mp4", bytearray(film.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov", start) - 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    for window_seconds in (1.0, 60.0):
        with pytest.raises(InputError, match=r"a.mp4: no frame of this video can be decoded: it is damaged"):
            timeline(plain.path, path, window_seconds=window_seconds)
