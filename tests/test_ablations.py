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


class StubData:
    """Clip i has frames of the greys 8 * (4 i), 8 * (4 i + 1), ... and i words."""

    def __init__(self, num_clips: int) -> None:
        self.clips = [SimpleNamespace(id=f"c{i}", text={"title": "word " * i}) for i in range(num_clips)]

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
    np.testing.assert_array_equal(scores["without_frames"], np.column_stack([frames[derangement(7, 0)], words]))
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
        "without_frames": (frames[derangement(len(frames), 0)], token_ids),
        "shuffled_frames": (np.stack(permuted), token_ids),
    }
    model = form.run.load_model()
    for name, (pixels, words) in expected.items():
        found = model.predict({"frames": pixels, "token_ids": words}, verbose=0)
        np.testing.assert_allclose(scores[name]["colour"], found["colour"], atol=1e-5)  # float32, other batch sizes
    assert len({each["colour"].tobytes() for each in scores.values()}) == len(expected)


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_a_derangement_moves_every_clip(n):
    order = derangement(n, seed=4)
    assert sorted(order) == list(range(n))
    assert not np.any(order == np.arange(n))
