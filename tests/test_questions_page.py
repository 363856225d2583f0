"""The page on questions: its commands learn what needs both the question and the frames."""

from __future__ import annotations

import json

import pytest

from tests.drawn_answers import draw_video, write_questions, write_small_settings
from tests.pages import run_commands

ROUNDS = 16  # of 6 videos: every pair of colours


@pytest.mark.slow
def test_one_clip_gets_different_answers_to_different_questions(tmp_path, monkeypatch, capsys, backbone_weights):
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path, ROUNDS)
    write_small_settings(tmp_path, backbone_weights)
    draw_video(tmp_path / "new.mp4", ground="red", ball="green", seed=10_000)
    ball, ground = "What colour is the ball?", "What colour is the ground?"
    (tmp_path / "ask.csv").write_text(f"path,question\nnew.mp4,{ball}\nnew.mp4,{ground}\n")
    run_commands("questions.md")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [(each["question"], each["heads"]["label"]["label"]) for each in answers] == [
        (ball, "green"),
        (ground, "red"),
    ]
    found = json.loads((tmp_path / "runs/questions/evaluation/test.json").read_text())
    accuracy, ablations = found["heads"]["label"]["accuracy"], found["ablations"]
    print(f"{found['num_clips']} questions: {accuracy:.3f}, {ablations}")
    assert accuracy > 0.85
    # The answers to the two questions about a clip differ: who is not told which one it is gets at most one right.
    assert ablations["without_text"]["label"] <= 0.5
    assert ablations["without_frames"]["label"] < 0.5
