"""One pass over a video: its windows have the scores of the same ranges as clips, and each frame is encoded once."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.videos import write_timed_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.question import Question
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.scoring import window_pass
from vidmodel_tf.scoring.windows import plan_windows
from vidmodel_tf.timelines.score_video import score_video
from vidmodel_tf.words.cues import Cue, untimed

SIZE = (96, 72)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Eight seconds in three shots, of which the second is shorter than a window; frames that differ."""
    backgrounds = [(150, 20, 20)] * 80 + [(20, 200, 20)] * 12 + [(20, 20, 110)] * 108
    frames = [_square(number, background) for number, background in enumerate(backgrounds)]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_timed_video(path, [i / 25 for i in range(len(frames))], size=SIZE, frames=frames)


def _square(number, background):
    """A white square that moves with every frame."""
    frame = np.full((SIZE[1], SIZE[0], 3), background, np.uint8)
    left = 2 * number % (SIZE[0] - 8)
    frame[20:28, left : left + 8] = 255
    return frame


@pytest.fixture
def scored(monkeypatch):
    """Every window that a pass scores, with its scores."""
    found = {}
    original = window_pass.WindowPass._score

    def spy(self, windows):
        result = original(self, windows)
        for row, window in enumerate(result.windows):
            found[window] = {head: values[row] for head, values in result.scores.items()}
        return result

    monkeypatch.setattr(window_pass.WindowPass, "_score", spy)
    return found


def scores_of_range(form: Form, path, plan, window, words):
    prepare, config = form.run.config.prepare, form.run.config.model
    start, end = (step * plan.step_seconds for step in (window.first_step, window.first_step + plan.num_frames))
    stride = prepare.num_stored_frames // config.num_frames
    slots = tuple(range(0, prepare.num_stored_frames, stride))
    request = ClipRequest(path, prepare.num_stored_frames, prepare.short_side, 95, start, end, slots=slots)
    question = Question("", read_clip(request).jpeg_frames, words)
    return form.scores(decode_questions([question], config), [words])


@pytest.fixture(scope="module")
def form_named(run, exported):
    """The forms of a run by name; each is exported when it is first asked for."""
    paths = {
        "keras": lambda: run.path,
        "saved_model": lambda: exported(run.path, "saved_model"),
        "pair": lambda: exported(run.path, "lite") / "frame_features_float32.tflite",
    }
    return functools.cache(lambda name: open_model(paths[name]()))


@pytest.mark.parametrize(
    "form_name", ["keras", *(pytest.param(name, marks=pytest.mark.slow) for name in ("saved_model", "pair"))]
)
@pytest.mark.parametrize("windows", ["fixed", "shots"])
def test_windows_have_the_scores_of_the_same_ranges(run, film, scored, form_named, form_name, windows):
    if not run.config.model.has_frames:
        pytest.skip("the model encodes no frames")
    form = form_named(form_name)
    plan = plan_windows(run.config.model.num_frames, run.config.prepare.num_stored_frames, 1.0)
    result = score_video(form, film, plan, cues=(untimed("title", "A blue film", ""),), finds_cuts=windows == "shots")
    assert (result.cuts == ()) == (windows == "fixed")
    assert len(scored) > 20
    for window, found in list(scored.items())[::3]:
        expected = scores_of_range(form, film, plan, window, "A blue film")
        for head in expected:
            np.testing.assert_allclose(found[head], expected[head][0], atol=1e-5, rtol=0)


def test_shots_end_windows(plain, film, scored):
    plan = plan_windows(4, 8, 1.0)
    result = score_video(open_model(plain.path), film, plan)
    assert [round(cut * plan.step_seconds, 2) for cut in result.cuts] == [3.25, 3.75]
    short = [window for window in scored if window.count_to - window.count_from < 4]
    assert [(window.first_step, window.count_from, window.count_to) for window in short] == [(12, 13, 15)]
    edges = {13, 15}
    long = [window for window in scored if window not in short]
    assert not [window for window in long if any(window.count_from < edge < window.count_to for edge in edges)]


def test_each_frame_is_encoded_once(plain, film, monkeypatch):
    form, seen = open_model(plain.path), []
    original = form._encode

    def counted(inputs):
        seen.append(int(inputs["frames"].shape[1]))
        return original(inputs)

    monkeypatch.setattr(form, "_encode", counted)
    result = score_video(form, film, plan_windows(4, 8, 1.0))
    assert sum(seen) == result.scores.num_steps == 32


def test_cues_go_with_the_windows_that_they_overlap(plain, film, monkeypatch):
    form, asked = open_model(plain.path), []
    original = form.classify
    monkeypatch.setattr(form, "classify", lambda features, words: (asked.extend(words), original(features, words))[1])
    cues = (untimed("title", "always", ""), Cue(2.0, 3.0, "subtitles", "sometimes", ""))
    score_video(form, film, plan_windows(4, 8, 1.0), cues=cues, finds_cuts=False)
    has_cue = ["sometimes" in words for words in asked]
    assert all("always" in words for words in asked)
    assert has_cue == [1.0 < 0.25 * number < 3.0 for number in range(len(asked))]
