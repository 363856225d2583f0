from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from tests.videos import frame_numbers, write_video
from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.labels import Labels
from vidmodel_tf.run_folder.run import Run, RunConfig
from vidmodel_tf.scoring.questions import read_questions
from vidmodel_tf.text.vocabulary import Vocabulary


@pytest.fixture
def run(tmp_path):
    """The settings of a run, without a model: T=4 of N=8 frames."""
    return Run(
        tmp_path, RunConfig(MODEL, TRAIN, PREPARE), Labels({"mood": ["a", "b"]}), Vocabulary([], MODEL.text_fields), {}
    )


def test_only_the_frames_of_the_model_are_read_and_they_are_those_that_prepare_stores(run, tmp_path):
    path = write_video(tmp_path / "a.mp4", num_frames=40)
    request = ClipRequest(path, PREPARE.num_stored_frames, PREPARE.short_side, PREPARE.jpeg_quality)
    stored = read_clip(request).jpeg_frames
    (question,) = read_questions(run, [ClipRange(path)], None)
    assert question == Question(str(path), stored[::2], "")
    # 40 frames in 8 equal parts, of each the frame in its middle, of these every second one
    assert frame_numbers(question.jpeg_frames) == [2, 12, 22, 32]


def test_words_are_those_beside_the_video_or_the_given_text(run, tmp_path):
    path = write_video(tmp_path / "a.mp4")
    path.with_suffix(".json").write_text(json.dumps({"title": "A film", "tags": "short"}))
    (beside,), (given,) = read_questions(run, [ClipRange(path)], None), read_questions(run, [ClipRange(path)], "Mine")
    assert (beside.words, given.words) == ("\x01A film\x03short", "\x01Mine")


@pytest.mark.parametrize("follow_links", [False, True])
def test_links_out_of_the_folder_are_followed_where_prepare_followed_them(run, tmp_path, follow_links):
    (tmp_path / "secret.txt").write_text("secret")
    path = tmp_path / "videos" / "a.mp4"
    path.parent.mkdir()
    write_video(path)
    path.with_suffix(".txt").symlink_to(tmp_path / "secret.txt")
    prepare = dataclasses.replace(PREPARE, follow_links=follow_links)
    run = dataclasses.replace(run, config=dataclasses.replace(run.config, prepare=prepare))
    (found,) = read_questions(run, [ClipRange(path)], None)
    if follow_links:
        assert "secret" in found.words
    else:
        assert "leads out of" in found.reason


def test_a_refusal_says_its_path_once_and_as_the_user_wrote_it(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.mp4").write_bytes(b"no video")
    write_video(Path("good.mp4"))
    Path("worse.mp4").write_bytes(Path("good.mp4").read_bytes())
    Path("worse.json").write_text("{")
    found = list(
        read_questions(run, [ClipRange(Path(f"{name}.mp4")) for name in ("missing", "bad", "good", "worse")], None)
    )
    assert [(type(item), item.id) for item in found] == [
        (Refusal, "missing.mp4"),
        (Refusal, "bad.mp4"),
        (Question, "good.mp4"),
        (Refusal, "worse.mp4"),
    ]
    missing, bad, _, worse = found
    assert missing.reason.startswith("expected a video. ")
    assert bad.reason.startswith("expected a video. ")
    assert "worse.json" in worse.reason  # another file than the one that the refusal is about


def test_a_model_of_words_alone_needs_no_frames(run, tmp_path):
    config = dataclasses.replace(run.config, model=dataclasses.replace(MODEL, branches="text"))
    run = dataclasses.replace(run, config=config)
    (tmp_path / "undecodable.mp4").write_bytes(b"no video")
    found = list(
        read_questions(run, [ClipRange(tmp_path / f"{name}.mp4") for name in ("undecodable", "none")], "A film")
    )
    assert found == [
        Question(str(tmp_path / "undecodable.mp4"), (), "\x01A film"),
        Refusal(str(tmp_path / "none.mp4"), "expected a video. There is no such file"),
    ]
