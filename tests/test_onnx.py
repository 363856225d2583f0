"""The ONNX file as a server without TensorFlow has it: with ONNX Runtime and NumPy alone."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys

import keras
import numpy as np
import onnxruntime
import openvino
import pytest
import tf2onnx

from tests.conftest import MODEL
from tests.exports import ask_process, expected_scores, has_onnx, questions
from tests.sums import without_sums
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.onnx import export
from vidmodel_tf.export.onnx.convert import NotConvertibleError, convert
from vidmodel_tf.export.onnx.export import export_onnx
from vidmodel_tf.export.onnx.measure import count_ops
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.forms.onnx_form import OnnxForm
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.run_folder.save_run import save_run

ATOL = 1e-4  # float32 sums in another order

ASK = """
import sys
for name in ("tensorflow", "keras", "onnx", "tf2onnx", "vidmodel_tf"):
    sys.modules[name] = None
import numpy as np
import onnxruntime
model, questions, out = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
with np.load(questions) as given:
    inputs = dict(given)
answers = {}
for size in (1, 6):
    for start in range(0, 6, size):
        batch = {name: values[start:start + size] for name, values in inputs.items()}
        for output, scores in zip(session.get_outputs(), session.run(None, batch)):
            answers.setdefault(f"{size}/{output.name}", []).append(scores)
np.savez(out, **{name: np.concatenate(rows) for name, rows in answers.items()})
"""


@pytest.fixture(scope="module")
def folder(run, exported):
    if not has_onnx(run):
        pytest.skip("tf2onnx cannot convert this backbone")
    return exported(run.path, "onnx")


def test_a_process_with_the_runtime_alone_gives_the_scores_of_keras(run, folder, tmp_path):
    answers, expected = ask_process(ASK, folder / "model.onnx", run, tmp_path), expected_scores(run)
    assert all(np.ptp(scores, axis=0).min() > 0.2 for scores in expected.values())
    assert set(answers) == {f"{size}/{head}" for size in (1, 6) for head in expected}
    for size in (1, 6):
        for head, scores in expected.items():
            np.testing.assert_allclose(answers[f"{size}/{head}"], scores, atol=ATOL, err_msg=f"{size} {head}")


def test_opened_and_verified(run, folder):
    frames, texts = questions(run)
    model = OnnxForm(folder / "model.onnx")
    answers, without_words = (model.scores(frames, words) for words in (texts, [""] * len(texts)))
    for head, scores in expected_scores(run).items():
        np.testing.assert_allclose(answers[head], scores, atol=ATOL, err_msg=head)
        assert np.array_equal(without_words[head], answers[head]) != run.config.model.has_text
    result = verify(model, run.path)
    assert result.passed
    assert result.tolerance == ATOL


def test_inputs_outputs_and_ops(run, folder):
    session, config = onnxruntime.InferenceSession(str(folder / "model.onnx")), run.config.model
    picture = [config.num_frames, config.height, config.width, 3]
    assert {value.name: (value.type, value.shape) for value in session.get_inputs()} == {
        "frames": ("tensor(uint8)", ["batch", *picture]),
        "token_ids": ("tensor(int32)", ["batch", config.num_tokens]),
    }
    assert {value.name: (value.type, value.shape) for value in session.get_outputs()} == {
        head: ("tensor(float)", ["batch", len(names)]) for head, names in run.labels.items()
    }
    ops = count_ops(folder / "model.onnx")
    assert ("Conv" in ops) == config.has_frames
    assert not {"Loop", "Scan", "BatchNormalization"} & set(ops)
    if config.num_layers == 1:  # an op for each stream, and one for the words
        num_streams = config.has_frames * (2 if config.streams == "both" else 1)
        assert ops.get("LSTM", 0) == config.has_text + num_streams * (config.temporal == "lstm")
        assert ops.get("GRU", 0) == num_streams * (config.temporal == "gru")


def test_openvino_gives_the_scores_of_keras(run, folder):
    settings = {"INFERENCE_PRECISION_HINT": "f32"}  # where the processor has bfloat16, that would be the default
    model = openvino.Core().compile_model(str(folder / "model.onnx"), "CPU", settings)
    frames, texts = questions(run)
    token_ids = encode_texts(texts, run)
    for size in (1, 6):
        answers = model({"frames": frames[:size], "token_ids": token_ids[:size]})
        for head, scores in expected_scores(run).items():
            np.testing.assert_allclose(answers[head], scores[:size], atol=ATOL, err_msg=head)


def test_the_report_says_what_the_file_is_worth(run, folder):
    report = json.loads((folder / "report.json").read_text())
    path = folder / "model.onnx"
    assert (report["split"], report["num_clips"]) == ("test", 6)
    assert report["files"]["model"]["bytes"] == path.stat().st_size
    assert report["files"]["model"]["ops"] == count_ops(path)
    assert set(report["files"]["model"]["milliseconds"]) == {"1", "2"}
    assert min(report["keras_milliseconds"], *report["files"]["model"]["milliseconds"].values()) > 0
    assert set(report["models"]) == {"model"}
    for head in run.labels:
        values = report["models"]["model"][head]
        assert values["max_difference"] < ATOL
        assert values["label_agreement"] == 1.0
        assert values["accuracy"] == report["keras"][head]


def _untrained_run(path, labels, vocabulary, **settings):
    keras.utils.set_random_seed(0)
    config = dataclasses.replace(MODEL, **settings)
    model = build_model(config, labels, len(vocabulary))
    for weight in model.get_layer("head").trainable_weights:
        weight.assign(4 * weight)  # weights as they begin let all scores be nearly alike
    save_run(path, model, config, labels, vocabulary)
    return load_run(path)


@pytest.mark.slow
def test_the_graph_does_not_grow_with_time(plain, tmp_path):
    settings = {"streams": "both", "bidirectional": True, "pooling": "both"}
    counts = []
    for num_frames in (8, 32):
        run = _untrained_run(
            tmp_path / str(num_frames), plain.labels, plain.vocabulary, num_frames=num_frames, **settings
        )
        (tmp_path / "model.onnx").write_bytes(convert(TrainedRun(run).parts).SerializeToString())
        counts.append(count_ops(tmp_path / "model.onnx"))
    assert counts[0] == counts[1]


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["last", "both"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_slots_without_motion_leave_no_trace(plain, tmp_path, pooling, bidirectional):
    """At the beginning, the end, in the middle, all of them: the last answer must be that of the zero state."""
    settings = {"streams": "motion", "branches": "video", "num_layers": 2, "num_frames": 6}
    run = _untrained_run(
        tmp_path / "run", plain.labels, plain.vocabulary, pooling=pooling, bidirectional=bidirectional, **settings
    )
    frames = np.random.default_rng(0).integers(0, 256, (5, 6, MODEL.height, MODEL.width, 3)).astype(np.uint8)
    for clip, still in enumerate([(), (1, 2), (4, 5), (2, 4), (1, 2, 3, 4, 5)]):
        for slot in still:
            frames[clip, slot] = frames[clip, slot - 1]
    token_ids = np.zeros((5, MODEL.num_tokens), np.int32)
    expected = run.load_model().predict({"frames": frames, "token_ids": token_ids}, verbose=0)
    session = onnxruntime.InferenceSession(convert(TrainedRun(run).parts).SerializeToString())
    (found,) = session.run(["colour"], {"frames": frames, "token_ids": token_ids})
    assert expected["colour"].std(axis=0).max() > 0.02
    np.testing.assert_allclose(found, expected["colour"], atol=ATOL)


def test_without_its_data_set_only_the_file_is_measured(plain, tmp_path):
    labels = Labels({"mood": ["calm", "wild"]})
    run = _untrained_run(tmp_path / "run", labels, plain.vocabulary)
    folder = export_onnx(run.path, tmp_path / "name")
    report = json.loads((folder / "report.json").read_text())
    assert (report["split"], report["num_clips"], report["keras"], report["models"]) == (None, 0, None, None)
    assert report["notes"] == [
        "the data set of the run is not known: agreement with Keras and accuracy were not measured; give --data"
    ]
    assert report["files"]["model"]["ops"]["Conv"] == 4
    assert not list(folder.parent.glob(".*"))


@pytest.mark.slow
def test_a_backbone_that_cannot_be_converted_is_refused(trained_runs, tmp_path):
    pytest.importorskip("keras_hub", reason="the extra hub is not installed")
    with pytest.raises(InputError, match="Export it as a SavedModel or to TensorFlow Lite instead"):
        export_onnx(trained_runs("own_preset").path, tmp_path / "name")
    assert not (tmp_path / "name").exists() or not list((tmp_path / "name").glob("**/model.onnx"))


def test_what_tf2onnx_leaves_in_the_graph_is_refused(plain, monkeypatch):
    from_function = tf2onnx.convert.from_function

    def leave_an_op(*args, **kwargs):
        model, storage = from_function(*args, **kwargs)
        model.graph.node[-1].op_type = "TensorArrayV3"
        return model, storage

    monkeypatch.setattr(tf2onnx.convert, "from_function", leave_an_op)
    with pytest.raises(NotConvertibleError, match=r"cannot convert this model: .*TensorArrayV3[^\n]*$"):
        convert(TrainedRun(plain).parts)


@pytest.fixture(scope="module")
def plain_folder(plain, exported):
    return exported(plain.path, "onnx")


@pytest.mark.slow
def test_other_shapes_and_ids_are_refused(plain, plain_folder):
    frames, texts = questions(plain)
    model = OnnxForm(plain_folder / "model.onnx")
    with pytest.raises(Exception, match="Got invalid dimensions for input: frames"):
        model.scores(frames[:, :3], texts)
    token_ids = np.full((1, plain.config.model.num_tokens), 1_000_000, np.int32)
    session = onnxruntime.InferenceSession(str(plain_folder / "model.onnx"))
    with pytest.raises(Exception, match="out of data bounds"):
        session.run(None, {"frames": frames[:1], "token_ids": token_ids})


def test_what_is_no_model_is_told(plain, plain_folder, tmp_path):
    with pytest.raises(InputError, match="expected the settings that `vidmodel export` writes beside it"):
        OnnxForm(shutil.copy(plain_folder / "model.onnx", tmp_path))
    without_sums(shutil.copytree(plain_folder, tmp_path / "copy"))
    (tmp_path / "copy" / "model.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"model\.onnx cannot be read as an ONNX file: [^\n]*$"):
        OnnxForm(tmp_path / "copy" / "model.onnx")


@pytest.mark.parametrize("missing", ["onnxruntime", "tf2onnx", "onnx"])
def test_a_missing_extra_is_told(plain, plain_folder, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = rf'ONNX files need {missing}, which is not installed .*: pip install "vidmodel_tf\[onnx\]"$'
    with pytest.raises(InputError, match=message):
        export_onnx(plain.path, tmp_path / "name")
    assert not list((tmp_path / "name").glob(".*"))
    if missing == "onnxruntime":
        with pytest.raises(InputError, match=message):
            OnnxForm(plain_folder / "model.onnx")


def test_what_fails_leaves_the_earlier_export(plain, tmp_path, monkeypatch):
    folder = tmp_path / "name" / "onnx"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"earlier")
    monkeypatch.setattr(export, "report_on", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_onnx(plain.path, tmp_path / "name")
    assert (folder / "model.onnx").read_bytes() == b"earlier"
    assert [path.name for path in folder.parent.iterdir()] == ["onnx"]
