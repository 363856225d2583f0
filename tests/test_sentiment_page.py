"""The page on sentiment: its commands learn a category from frames and a mood from words, with labels missing."""

from __future__ import annotations

import csv
import json

import pytest

from tests.drawn_answers import draw_video, write_moods, write_small_settings
from tests.pages import run_commands

ROUNDS = 20  # of 6 videos: every category with every mood


@pytest.mark.slow
def test_each_head_learns_from_the_branch_that_tells_it(tmp_path, monkeypatch, capsys, backbone_weights):
    monkeypatch.chdir(tmp_path)
    manifest = write_moods(tmp_path, ROUNDS)
    write_small_settings(tmp_path, backbone_weights)
    draw_video(tmp_path / "new.mp4", ground="green", ball="red", seed=10_000)
    run_commands("sentiment.md")
    (answer,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {head: each["label"] for head, each in answer["heads"].items()} == {"category": "forest", "mood": "happy"}
    found = json.loads((tmp_path / "runs/moods/evaluation/test.json").read_text())
    heads, ablations = found["heads"], found["ablations"]
    print({head: (each["num_clips"], each["accuracy"]) for head, each in heads.items()}, ablations)
    assert heads["category"]["accuracy"] > 0.85
    assert heads["mood"]["accuracy"] > 0.85
    assert ablations["without_text"]["mood"] < 0.75 < 0.85 < ablations["without_text"]["category"]
    assert ablations["without_frames"]["category"] < 0.6 < 0.85 < ablations["without_frames"]["mood"]
    splits = json.loads((tmp_path / "data/moods/splits.json").read_text())["splits"]
    with manifest.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if splits[row["path"]] == "test"]
    for head in heads:  # clips without a label count in no figure
        assert heads[head]["num_clips"] == sum(bool(row[f"label:{head}"]) for row in rows) < found["num_clips"]
