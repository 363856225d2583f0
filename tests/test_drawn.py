from __future__ import annotations

import csv
import itertools
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidmodel_tf.demo import drawn_clips as drawn
from vidmodel_tf.demo.drawn_clips import chance_levels, draw_demo, plan_clips
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.sidecars import read_sidecar_words

COLORS = ("red", "green", "blue", "yellow")
# Degrees on the colour circle, which OpenCV halves.
HUES = {"red": 0, "yellow": 52, "green": 128, "blue": 230}
ONE_ROUND = {"test": 1}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_demo(tmp_path_factory.mktemp("drawn") / "clips", rounds=ONE_ROUND, seed=5)


def read_rows(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_frames(path: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def ball_color(frame_bgr: np.ndarray) -> str:
    hue, saturation, _ = np.moveaxis(cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2HSV).astype(int), -1, 0)
    ball_hue = 2 * hue[saturation > 150]  # the background is nearly grey
    if len(ball_hue) < 0.02 * hue.size:
        raise ValueError(f"no ball in the frame: {len(ball_hue)} coloured pixels")
    distance = {
        color: np.median(np.abs((ball_hue - circle_hue + 180) % 360 - 180)) for color, circle_hue in HUES.items()
    }
    return min(distance, key=distance.__getitem__)


def asked_place(title: str) -> int:
    words = (("first", "start", "第一"), ("last", "end", "最后"))
    tokens = title.lower().replace("?", " ").replace(",", " ").split()
    places = [place for place, keys in enumerate(words) if any(key in tokens or title.startswith(key) for key in keys)]
    (place,) = places
    return place


def best_accuracy(known: list[object], answers: list[str]) -> float:
    counts = Counter(zip(known, answers, strict=True))
    return sum(max(counts[what, color] for color in COLORS) for what in set(known)) / len(known)


def test_the_files_show_what_their_rows_claim(manifest: Path):
    orders = []
    for row in read_rows(manifest):
        frames = read_frames(manifest.parent / row["path"])
        assert 24 <= len(frames) <= 32
        runs = [(color, len(list(run))) for color, run in itertools.groupby(map(ball_color, frames))]
        order, durations = zip(*runs, strict=True)
        assert len(set(order)) == len(order) == 2
        assert max(durations) - min(durations) <= 1
        assert order[asked_place(row["title"])] == row["label"]
        orders.append((order, asked_place(row["title"])))
    assert Counter(orders) == Counter(itertools.product(itertools.permutations(COLORS, 2), range(2)))


def test_the_ball_moves_and_files_differ(manifest: Path):
    rows = read_rows(manifest)
    first_frames = set()
    for row in rows[:20]:
        frames = read_frames(manifest.parent / row["path"])
        first_frames.add(frames[0].tobytes())
        centers = [np.argwhere(cv2.cvtColor(frame, cv2.COLOR_BGR2HSV)[..., 1] > 150).mean(axis=0) for frame in frames]
        assert np.ptp(centers, axis=0).max() > 5  # pixels
    assert len(first_frames) == 20


@pytest.mark.parametrize("seed", [0, 7])
def test_every_split_is_balanced(seed: int):
    rounds = {"train": 3, "validation": 1, "test": 2}
    clips = plan_clips(rounds, seed)
    assert len({clip.path for clip in clips}) == len({clip.source for clip in clips}) == len(clips)
    assert len({clip.seed for clip in clips}) == len(clips)
    for split, count in rounds.items():
        rows = [clip for clip in clips if clip.split == split]
        cases = Counter((clip.order, asked_place(clip.title)) for clip in rows)
        assert len(cases) == 12 * 2
        assert set(cases.values()) == {count}
        answers = [clip.label for clip in rows]
        assert best_accuracy([clip.order for clip in rows], answers) == 0.5
        assert best_accuracy([asked_place(clip.title) for clip in rows], answers) == 0.25
        assert best_accuracy([clip.title for clip in rows], answers) == 0.25
        assert best_accuracy([(asked_place(clip.title), frozenset(clip.order)) for clip in rows], answers) == 0.5


def test_words_as_they_stand_say_nothing_about_the_answer():
    for seed in range(5):
        rows = plan_clips(ONE_ROUND, seed)
        assert best_accuracy([(row.title, row.tags) for row in rows], [row.label for row in rows]) == 0.25


def test_words_and_order_together_give_the_answer():
    assert all(clip.label == clip.order[asked_place(clip.title)] for clip in plan_clips())


def test_every_wording_is_in_training():
    clips = plan_clips()
    titles = {clip.title for clip in clips if clip.split == "train"}
    assert titles == {clip.title for clip in clips} == set(itertools.chain(*drawn.QUESTIONS))
    assert len(titles) == 6


def test_the_order_of_rows_tells_nothing():
    numbers = [number for number, clip in enumerate(plan_clips({"train": 32})) if clip.label == "red"]
    # The mean of 192 numbers drawn from 768 has a standard deviation of 13.9; this is four of them.
    assert abs(np.mean(numbers) - 383.5) < 56


def test_chance_levels():
    assert chance_levels() == {"without_text": 0.5, "without_frames": 0.25, "shuffled_frames": 0.5}


def test_drawing_again_gives_the_same(manifest: Path, tmp_path: Path):
    again = draw_demo(tmp_path / "again", rounds=ONE_ROUND, seed=5)
    assert again.read_bytes() == manifest.read_bytes()
    for row in read_rows(manifest)[:10]:
        one, other = (read_frames(file.parent / row["path"]) for file in (manifest, again))
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_another_manifest():
    rows = [[(clip.title, clip.label) for clip in plan_clips(ONE_ROUND, seed)] for seed in (0, 1)]
    assert rows[0] != rows[1]


def test_a_second_call_keeps_what_is_there(manifest: Path):
    before = {path: path.stat().st_mtime_ns for path in manifest.parent.rglob("*")}
    assert draw_demo(manifest.parent, rounds=ONE_ROUND, seed=5) == manifest
    assert before == {path: path.stat().st_mtime_ns for path in manifest.parent.rglob("*")}


def test_a_folder_with_other_content_is_refused(manifest: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"expected a new folder, or one with the demo clips of seed 6"):
        draw_demo(manifest.parent, rounds=ONE_ROUND, seed=6)
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match=r"Received: one with other content; name another folder or delete it"):
        draw_demo(tmp_path, rounds=ONE_ROUND)
    assert (tmp_path / "mine.txt").read_text() == "keep me"


def test_a_drawing_that_was_cut_off_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stop(clip: object, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drawn, "_draw_clip", stop)
    with pytest.raises(KeyboardInterrupt):
        draw_demo(tmp_path / "clips", rounds=ONE_ROUND)
    assert not (tmp_path / "clips").exists()
    monkeypatch.setattr(drawn, "_draw_clip", lambda clip, path: path.write_bytes(b"video"))
    draw_demo(tmp_path / "clips", rounds=ONE_ROUND)
    assert len(list((tmp_path / "clips" / "videos").glob("*.mp4"))) == 24
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


@pytest.mark.parametrize("rounds", [{}, {"test": 0}, {"train": -1}, {"training": 1}, {"train": 1000}])
def test_rounds_that_cannot_be_drawn_are_refused(rounds: dict[str, int]):
    with pytest.raises(InputError, match=r"rounds: expected 0 to 999 for some of train, validation, test\. Received"):
        plan_clips(rounds)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match=r"seed: expected 0 or more\. Received: -1"):
        plan_clips(ONE_ROUND, -1)


def test_the_words_lie_beside_each_video_too(manifest: Path):
    for row in read_rows(manifest):
        words = read_sidecar_words(manifest.parent / row["path"])
        assert (words["title"], words["tags"]) == (row["title"], row["tags"])


def test_questions_come_with_and_without_tags():
    clips = [clip for clip in plan_clips() if clip.split == "train"]
    for wordings in drawn.QUESTIONS:
        assert {bool(clip.tags) for clip in clips if clip.title in wordings} == {True, False}
