from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidmodel_tf.clips.question import Question
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.evaluation.ablations import derangement, score_variants
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.pipeline import for_inference
from vidmodel_tf.run_folder.run import load_run

NUM_FRAMES = 4


def jpeg(grey: int) -> bytes:
    return cv2.imencode(".jpg", np.full((32, 32, 3), grey, np.uint8))[1].tobytes()


def stub_clip(footage: str, num_words: int, question: str = "") -> SimpleNamespace:
    return SimpleNamespace(id=footage + question, footage=footage, text={"title": "word " * num_words})


class StubData:
    """Clip i has frames of the greys 8 * (4 i), 8 * (4 i + 1), ... and i words."""

    def __init__(self, num_clips: int) -> None:
        self.clips = [stub_clip(f"c{i}", i) for i in range(num_clips)]

    def in_split(self, split):
        return self.clips

    def questions(self, split, config):
        for i, clip in enumerate(self.clips):
            greys = [8 * (NUM_FRAMES * i + t) for t in range(NUM_FRAMES)] if config.has_frames else []
            yield clip, Question(clip.id, tuple(map(jpeg, greys)), clip.text["title"])


class StubForm:
    """The scores of a clip are the numbers of its frames (0, 1, ... through all clips) and of its words."""

    def __init__(self, branches: str = "both") -> None:
        config = ModelConfig(branches=branches, num_frames=NUM_FRAMES, height=32, width=32, text_fields=("title",))
        labels = Labels({"label": [f"frame{t}" for t in range(NUM_FRAMES)] + ["words"]})
        self.run = SimpleNamespace(config=SimpleNamespace(model=config), labels=labels)
        self.num_encoded = 0

    def encode(self, frames):
        self.num_encoded += len(frames)
        return np.round(frames.mean(axis=(2, 3, 4)) / 8)

    def classify(self, features, words):
        features = np.zeros((len(words), NUM_FRAMES)) if features is None else features
        return {"label": np.column_stack([features, [len(each.split()) for each in words]]).astype(np.float32)}

    def scores(self, frames, words):
        return self.classify(self.encode(frames), words)


def test_each_ablation_takes_away_what_it_says():
    form = StubForm()
    scores = {name: each["label"] for name, each in score_variants(form, StubData(7), "test").items()}
    frames, words = np.arange(28.0).reshape(7, 4), np.arange(7)
    np.testing.assert_array_equal(scores["full"], np.column_stack([frames, words]))
    np.testing.assert_array_equal(scores["without_text"], np.column_stack([frames, words * 0]))
    np.testing.assert_array_equal(scores["without_frames"], np.column_stack([frames[derangement(range(7), 0)], words]))
    shuffled = np.stack([clip[np.random.default_rng(row).permutation(4)] for row, clip in enumerate(frames)])
    np.testing.assert_array_equal(scores["shuffled_frames"], np.column_stack([shuffled, words]))
    assert form.num_encoded == 14  # each clip once, and once more with its frames shuffled


@pytest.mark.parametrize(
    ("branches", "num_clips", "expected"),
    [
        ("text", 5, ["full", "without_text"]),
        ("video", 5, ["full", "without_frames", "shuffled_frames"]),
        ("both", 1, ["full", "without_text", "shuffled_frames"]),
    ],
)
def test_ablations_that_make_no_sense_are_left_out(branches, num_clips, expected):
    assert list(score_variants(StubForm(branches), StubData(num_clips), "test")) == expected


def test_variants_are_the_scores_of_the_model_itself(run_dir, data_set):
    form = KerasForm(load_run(run_dir))
    config, vocabulary = form.run.config.model, form.run.vocabulary
    data = open_data_set(data_set)
    scores = score_variants(form, data, "test")
    (batch,) = for_inference(data, "test", config, vocabulary, batch_size=100).as_numpy_iterator()
    frames, token_ids = batch[0]["frames"], batch[0]["token_ids"]
    permuted = [clip[np.random.default_rng(i).permutation(len(clip))] for i, clip in enumerate(frames)]
    expected = {
        "full": (frames, token_ids),
        "without_text": (frames, np.zeros_like(token_ids)),
        "without_frames": (frames[derangement(range(len(frames)), 0)], token_ids),
        "shuffled_frames": (np.stack(permuted), token_ids),
    }
    model = form.run.load_model()
    for name, (pixels, words) in expected.items():
        found = model.predict({"frames": pixels, "token_ids": words}, verbose=0)
        np.testing.assert_allclose(scores[name]["colour"], found["colour"], atol=1e-5)  # float32, other batch sizes
    assert len({each["colour"].tobytes() for each in scores.values()}) == len(expected)


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_a_derangement_moves_every_clip(n):
    order = derangement(range(n), seed=4)
    assert sorted(order) == list(range(n))
    assert not np.any(order == np.arange(n))


@pytest.mark.parametrize("sizes", [[1, 1], [2, 2], [3, 1, 2], [5, 5], [4, 1, 1, 2], [1] * 9, [7, 3, 3, 2]])
def test_a_derangement_gives_no_question_the_frames_of_its_own_clip(sizes):
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    groups = [groups[i] for i in np.random.default_rng(0).permutation(len(groups))]
    for seed in range(20):
        order = derangement(groups, seed)
        assert sorted(order) == list(range(len(groups)))
        assert not any(groups[row] == groups[order[row]] for row in range(len(groups)))


@pytest.mark.parametrize("groups", ["", "a", "aab", "abaca", "aa"])
def test_where_one_clip_has_most_questions_frames_cannot_be_swapped(groups):
    assert derangement(groups, seed=0) is None


class AskedData(StubData):
    """Five clips with 1, 3, 2, 3 and 2 questions; question q of clip c has 3 c + q words."""

    def __init__(self) -> None:
        pairs = [(c, q) for c, number in enumerate([1, 3, 2, 3, 2]) for q in range(number)]
        self.clips = [stub_clip(f"c{c}", 3 * c + q, f"?{q}") for c, q in pairs]
        self.numbers = [c for c, _ in pairs]

    def questions(self, split, config):
        for c, clip in zip(self.numbers, self.clips, strict=True):
            greys = [8 * (NUM_FRAMES * c + t) for t in range(NUM_FRAMES)]
            yield clip, Question(clip.id, tuple(map(jpeg, greys)), clip.text["title"])


def test_clips_with_several_questions_are_encoded_once_and_swap_frames_with_other_clips():
    form, data = StubForm(), AskedData()
    scores = {name: each["label"] for name, each in score_variants(form, data, "test").items()}
    frames = np.arange(20.0).reshape(5, 4)[data.numbers]
    words = [len(clip.text["title"].split()) for clip in data.clips]
    np.testing.assert_array_equal(scores["full"], np.column_stack([frames, words]))
    swapped = scores["without_frames"]
    np.testing.assert_array_equal(swapped[:, 4], words)
    assert not (swapped[:, :4] == frames).all(axis=1).any()
    shuffled = scores["shuffled_frames"][:, :4]
    np.testing.assert_array_equal(np.sort(shuffled), frames)
    assert len(np.unique(shuffled, axis=0)) == 5  # all questions about a clip see its frames in one order
    assert form.num_encoded == 10  # each clip once, and once more with its frames shuffled
