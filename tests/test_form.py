"""The contract that every form of a model keeps: encode, classify, the frame before, windows as clips."""

from __future__ import annotations

import numpy as np
import pytest

from tests.exports import has_onnx, questions
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.forms.whole_clip_form import WholeClipForm


@pytest.fixture(scope="module")
def forms(run, exported):
    """Every float32 form of a run, by name."""
    lite = exported(run.path, "lite")
    paths = {
        "keras": run.path,
        "saved_model": exported(run.path, "saved_model"),
        "lite": lite / "float32.tflite",
    }
    if has_onnx(run):
        paths["onnx"] = exported(run.path, "onnx") / "model.onnx"
        paths["openvino"] = exported(run.path, "openvino") / "float32.xml"
    if run.config.model.has_frames:
        paths["pair"] = lite / "frame_features_float32.tflite"
    return {name: open_model(path) for name, path in paths.items()}


def assert_near(scores, expected, tolerance, name):
    assert list(scores) == list(expected)
    for head in expected:
        assert scores[head].dtype == np.float32
        np.testing.assert_allclose(scores[head], expected[head], atol=tolerance, rtol=0, err_msg=f"{name} {head}")


@pytest.mark.slow
def test_frames_encoded_once_serve_any_words(run, forms):
    frames, texts = questions(run)
    for name, form in forms.items():
        features = form.encode(frames) if run.config.model.has_frames else None
        answers = [form.classify(features, words) for words in (texts, [""] * len(texts))]
        for found, words in zip(answers, (texts, [""] * len(texts)), strict=True):
            assert_near(found, forms["keras"].scores(frames, words), form.tolerance, name)
        assert (np.abs(answers[0]["colour"] - answers[1]["colour"]).max() > 1e-3) == run.config.model.has_text


@pytest.mark.slow
def test_a_run_folder_keeps_results_and_an_export_does_not(run, forms):
    assert all(form.run.labels == run.labels for form in forms.values())
    assert [name for name, form in forms.items() if form.keeps_results] == ["keras"]


@pytest.mark.slow
def test_frames_can_be_encoded_in_pieces(run, forms):
    if not run.config.model.has_frames:
        pytest.skip("the model encodes no frames")
    frames, _ = questions(run)
    for name, form in forms.items():
        whole = form.encode(frames).astype(np.float32)
        first, rest = form.encode(frames[:, :1]), form.encode(frames[:, 1:], frames[:, 0])
        # float32 sums in another order, in features of the order of 1
        np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, atol=1e-4, rtol=1e-4, err_msg=name)


@pytest.mark.slow
def test_only_the_frame_before_gives_the_first_frame_motion(run, forms):
    streams = run.config.model.streams
    if not run.config.model.has_frames or streams == "appearance":
        pytest.skip("the model sees no motion")
    frames, _ = questions(run)
    for form in forms.values():
        if isinstance(form, WholeClipForm):
            continue
        alone, after = form.encode(frames[:, 1:2]), form.encode(frames[:, 1:2], frames[:, 0])
        of_motion = slice(0 if streams == "motion" else alone.shape[-1] // 2, None)
        assert not alone[..., of_motion].any()
        assert after[..., of_motion].any(axis=-1)[3:].all()  # clips that move


@pytest.mark.slow
def test_windows_of_a_longer_sequence_are_scored_as_clips_of_their_own(run, forms):
    if not run.config.model.has_frames:
        pytest.skip("the model encodes no frames")
    frames, texts = questions(run)
    sequence = np.concatenate([frames[::-1], frames], axis=1)
    num_frames = run.config.model.num_frames
    for name, form in forms.items():
        features = form.encode(sequence)
        for start in (0, 1, num_frames - 1):
            window = slice(start, start + num_frames)
            expected = form.scores(sequence[:, window], texts)
            before = features.copy()
            found = form.classify(form.as_clips(features[:, window]), texts)
            assert_near(found, expected, 1e-4, name)  # float32 sums in another order
            assert np.array_equal(features, before)
