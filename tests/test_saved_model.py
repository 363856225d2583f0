"""The SavedModel as a server has it: in a process of its own, with TensorFlow and nothing of ours."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from tests.exports import expected_scores, questions
from tests.progressive_jpegs import progressive_jpeg
from tests.sums import DAMAGES
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.export.fold_batch_norm import fold_batch_norm
from vidmodel_tf.export.lite.export import export_tflite
from vidmodel_tf.export.onnx.export import export_onnx
from vidmodel_tf.export.openvino.export import export_openvino
from vidmodel_tf.export.parts import take_apart
from vidmodel_tf.export.saved_model.export import export_saved_model
from vidmodel_tf.export.saved_model.graph import InferenceGraph
from vidmodel_tf.export.saved_model.ops import check_portable, num_nodes, ops_of
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.forms.token_ids import encode_texts
from vidmodel_tf.forms.verify import verify
from vidmodel_tf.model.backbones import build_backbone
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.run_folder.layout import latest_version
from vidmodel_tf.run_folder.run import load_run
from vidmodel_tf.run_folder.save_run import save_run
from vidmodel_tf.text.fields import MAX_TEXT_BYTES, join_fields

TOLERANCE = 1e-4  # float32 sums in another order

ASK = """
import json, sys
sys.modules["vidmodel_tf"] = None
import numpy as np, tensorflow as tf
folder, questions, out = sys.argv[1:]
with np.load(questions, allow_pickle=True) as given:
    frames, text, jpegs = tf.constant(given["frames"]), tf.constant(given["text"]), tf.constant(given["jpegs"])
signatures = tf.saved_model.load(folder).signatures
answers = {"serving_default": signatures["serving_default"](frames=frames, text=text),
           "encoded_frames": signatures["encoded_frames"](jpeg_frames=jpegs, text=text)}
if "frame_features" in signatures:
    one_by_one = [signatures["frame_features"](frames=frames[:, :t])["features"][:, -1] for t in (1, 2, 3, 4)]
    whole = signatures["frame_features"](frames=frames)["features"]
    assert np.abs(tf.stack(one_by_one, axis=1) - whole).max() < 1e-4
    answers["classify_features"] = signatures["classify_features"](features=whole, text=text)
np.savez(out, **{f"{way}/{name}": value.numpy() for way, answer in answers.items() for name, value in answer.items()})
"""


@pytest.fixture(scope="module")
def version(run, exported):
    return exported(run.path, "saved_model")


def encode_jpegs(frames: np.ndarray) -> np.ndarray:
    """Frames [B, T, H, W, 3] as JPEG files [B, T], as near to the pixels as JPEG can be."""

    def encode(frame):
        return tf.io.encode_jpeg(frame, quality=100, chroma_downsampling=False).numpy()

    return np.array([[encode(frame) for frame in clip] for clip in frames], object)


def test_a_process_with_tensorflow_alone_gives_the_scores_of_keras(run, version, tmp_path):
    frames, texts = questions(run)
    jpegs = encode_jpegs(frames)
    text = np.array([text.encode() for text in texts], object)
    np.savez(tmp_path / "questions.npz", frames=frames, text=text, jpegs=jpegs)
    moved = shutil.copytree(version, tmp_path / "moved")  # nothing may depend on where it was made
    command = [sys.executable, "-c", ASK, str(moved), str(tmp_path / "questions.npz"), str(tmp_path / "a.npz")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    expected, answers = expected_scores(run), np.load(tmp_path / "a.npz", allow_pickle=True)
    assert all(np.ptp(scores, axis=0).min() > 0.2 for scores in expected.values())
    ways = {"serving_default", "classify_features"} if run.config.model.has_frames else {"serving_default"}
    for way, (head, scores) in itertools.product(ways, expected.items()):
        np.testing.assert_allclose(answers[f"{way}/{head}_scores"], scores, atol=TOLERANCE, err_msg=f"{way} {head}")
    for head, scores in expected.items():
        np.testing.assert_allclose(answers[f"encoded_frames/{head}_scores"], scores, atol=0.1)  # JPEG loses a little
    names, thresholds = run.labels["topic"], np.array(run.thresholds["topic"])
    given = ["|".join(np.array(names)[row >= thresholds]).encode() for row in answers["serving_default/topic_scores"]]
    assert answers["serving_default/topic_labels"].tolist() == given
    best = answers["serving_default/colour_scores"].argmax(axis=1)
    assert answers["serving_default/colour_label"].tolist() == [run.labels["colour"][i].encode() for i in best]


def test_windows_of_a_longer_sequence_are_answered_as_clips_of_their_own(run, version):
    if not run.config.model.has_frames:
        pytest.skip("the model sees no frames")
    frames, texts = questions(run)
    frames = np.concatenate([frames[::-1], frames], axis=1)
    signatures, text = tf.saved_model.load(str(version)).signatures, tf.constant(texts)
    features = signatures["frame_features"](frames=tf.constant(frames))["features"].numpy()
    of_motion = {"appearance": 0, "motion": 1, "both": 1 / 2}[run.config.model.streams]
    first_of_motion = round(features.shape[-1] * (1 - of_motion))
    for start in (0, 1, run.config.model.num_frames - 1):
        window = slice(start, start + run.config.model.num_frames)
        expected = signatures["serving_default"](frames=tf.constant(frames[:, window]), text=text)
        seen = features[:, window].copy()
        seen[:, 0, first_of_motion:] = 0  # a clip's first frame has no motion
        answers = signatures["classify_features"](features=tf.constant(seen), text=text)
        for head in run.labels:
            np.testing.assert_allclose(answers[f"{head}_scores"], expected[f"{head}_scores"], atol=TOLERANCE)


def test_verify_finds_every_signature_the_same(run, version):
    result = verify(version, run.path)
    assert result.passed
    ways = (
        {"serving_default", "encoded_frames", "classify_features"}
        if run.config.model.has_frames
        else {"serving_default"}
    )
    assert set(result.answers) == ways
    assert all(found.label_agreement == 1 for heads in result.answers.values() for found in heads.values())


@pytest.mark.slow
def test_verify_finds_other_thresholds(served, plain, tmp_path):
    edited = shutil.copytree(plain.path, tmp_path / "run")
    (edited / "thresholds.json").write_text('{"topic": [0.25, 0.75]}')
    with pytest.raises(InputError, match=r"decides by other thresholds .*0\.25, 0\.75.*export it again"):
        verify(served, edited)


def test_opened_for_prediction_it_gives_the_scores_of_keras(run, version):
    frames, texts = questions(run)
    form = open_model(version.parent)
    answers, without_words = (form.scores(frames, words) for words in (texts, [""] * len(texts)))
    for head, scores in expected_scores(run).items():
        np.testing.assert_allclose(answers[head], scores, atol=TOLERANCE)
    assert (np.abs(answers["colour"] - without_words["colour"]).max() > 1e-6) == run.config.model.has_text


def test_the_folder_holds_all_that_the_design_names(run, version):
    assert (version / "assets" / "vocabulary.txt").read_bytes() == (run.path / "vocabulary.txt").read_bytes()
    assert json.loads((version / "assets" / "labels.json").read_text()) == dict(run.labels)
    described = json.loads((version / "assets.extra" / "signatures.json").read_text())
    names = {"serving_default", "encoded_frames"}
    if run.config.model.has_frames:
        names |= {"frame_features", "classify_features"}
    assert set(described["signatures"]) == names
    height, width, num_frames = run.config.model.height, run.config.model.width, run.config.model.num_frames
    inputs = described["signatures"]["serving_default"]["inputs"]
    assert inputs["frames"]["shape"] == [None, num_frames, height, width, 3]
    assert (inputs["frames"]["dtype"], inputs["text"]["dtype"]) == ("uint8", "string")
    assert load_run(run.path).labels == open_model(version).run.labels


def test_no_op_ties_the_graph_to_a_machine(version):
    ops = {op for op, _ in ops_of(version)}
    assert not {op for op in ops if "Cudnn" in op or "PyFunc" in op}
    # the weights are constants
    assert [name for name, _ in tf.train.list_variables(str(version / "variables" / "variables"))] == [
        "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    assert not {device for _, device in ops_of(version) if "GPU" in device}


def test_warm_up_requests_are_answered(version):
    signatures = tf.saved_model.load(str(version)).signatures
    path = str(version / "assets.extra" / "tf_serving_warmup_requests")
    asked = set()
    for record in tf.data.TFRecordDataset(path):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        outputs = signatures[request.model_spec.signature_name](**inputs)
        batch_size = len(next(iter(inputs.values())))
        assert all(len(value) == batch_size for value in outputs.values())
        asked.add((request.model_spec.signature_name, batch_size))
    assert asked == {(name, batch_size) for name in signatures for batch_size in (1, 4)}
    assert request.model_spec.name == version.parent.name


@pytest.fixture(scope="module")
def served(plain, exported):
    return exported(plain.path, "saved_model")


@pytest.mark.slow
def test_the_command_line_of_tensorflow_runs_it(plain, served, tmp_path):
    frames, texts = questions(plain)
    np.save(tmp_path / "frames.npy", frames[:1])
    command = [
        str(Path(sys.executable).parent / "saved_model_cli"), "run", "--dir", str(served), "--tag_set", "serve",
        "--signature_def", "serving_default", "--inputs", f"frames={tmp_path / 'frames.npy'}",
        "--input_exprs", f"text=[{texts[0].encode()!r}]", "--outdir", str(tmp_path),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    assert result.returncode == 0, result.stderr[-2000:]
    np.testing.assert_allclose(
        np.load(tmp_path / "colour_scores.npy")[0], expected_scores(plain)["colour"][0], atol=TOLERANCE
    )


@pytest.mark.slow
def test_each_export_is_the_next_version_and_half_of_one_is_never_seen(plain, served, tmp_path, monkeypatch):
    from vidmodel_tf.export.saved_model import export as saved_model

    served = shutil.copytree(served, tmp_path / "served" / served.name)

    def broken(*args):
        assert not any(path.name.isdecimal() and path != served for path in served.parent.iterdir())
        raise OSError("the disk is full")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="the disk is full"):
        patched.setattr(saved_model, "write_warmup_requests", broken)
        export_saved_model(plain.path, served.parent)
    assert [path.name for path in served.parent.iterdir()] == [served.name]
    again = export_saved_model(plain.path, served.parent)
    assert int(again.name) == int(served.name) + 1
    assert latest_version(served.parent) == again
    again.rename(served.parent / "withdrawn")
    assert latest_version(served.parent) == served


@pytest.mark.slow
def test_the_graph_does_not_grow_with_the_number_of_frames(plain, tmp_path):
    counts = {}
    for num_frames in (8, 32):
        config = dataclasses.replace(plain.config.model, num_frames=num_frames)
        model = build_model(config, plain.labels, len(plain.vocabulary))
        save_run(tmp_path / str(num_frames), model, config, plain.labels, plain.vocabulary)
        counts[num_frames] = num_nodes(export_saved_model(tmp_path / str(num_frames), tmp_path / f"out{num_frames}"))
    assert counts[8] == counts[32]


def malformed(plain):
    """200 requests of many kinds: signature, inputs, and the name that the answer has to mention."""
    rng = np.random.default_rng(0)
    height, width, num_frames = plain.config.model.height, plain.config.model.width, plain.config.model.num_frames
    jpeg = tf.io.encode_jpeg(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).numpy()

    def frames(*shape):
        return tf.constant(rng.integers(0, 256, shape, dtype=np.uint8))

    def jpegs(num_clips, bad):
        rows = np.full((num_clips, num_frames), jpeg, object)
        rows[rng.integers(num_clips), rng.integers(num_frames)] = bad
        return tf.constant(rows)

    def words(*shape):
        return tf.constant(np.full(shape, b"words", object)) if 0 not in shape else tf.zeros(shape, tf.string)

    good = (2, num_frames, height, width, 3)
    wrong_numbers = [(2, 3, *good[2:]), (2, 8, *good[2:]), (1, 10_000, *good[2:])]  # which `frame_features` takes
    wrong_frames = [
        (0, *good[1:]), (2, 0, *good[2:]), good[1:], good[2:], (1, *good), (2, num_frames, width, height, 3),
        (2, num_frames, height, width, 1), (2, num_frames, height, width, 4), (2, num_frames, height - 1, width, 3),
        (2, num_frames * height * width * 3), (),
    ]  # fmt: skip
    wrong_texts = [(), (0,), (1,), (3,), (2, 1), (1, 2), (2, 0)]
    size = plain.config.model.projection_units
    wrong_features = [
        (0, num_frames, size), (2, 0, size), (2, 8, size), (2, num_frames, size + 1), (num_frames, size),
        (2, num_frames, size, 1), (),
    ]  # fmt: skip
    png = tf.io.encode_png(frames(8, 8, 3)).numpy()
    no_jpegs = [
        b"", b"\xff", b"\xff\xd8\xff", b"no jpeg", png, jpeg[: len(jpeg) // 2], jpeg[:30], b"GIF89a",
        b"\xff\xd8\xff" + bytes(500),
    ]  # fmt: skip
    wrong_jpegs = [(num_frames,), (2, num_frames + 1), (2, 0), (0, num_frames), (2, num_frames, 1), (1, 10_000)]
    kinds = []
    for shape in wrong_frames + wrong_numbers:
        kinds.append(("serving_default", {"frames": frames(*shape), "text": words(2)}, "frames"))
    for shape in wrong_frames:
        kinds.append(("frame_features", {"frames": frames(*shape)}, "frames"))
    for shape in wrong_texts:
        kinds.append(("serving_default", {"frames": frames(*good), "text": words(*shape)}, "text"))
    for shape in wrong_features:
        kinds.append(("classify_features", {"features": tf.zeros(shape), "text": words(2)}, "features"))
    for value in (np.nan, np.inf, -np.inf):
        features = tf.fill((2, num_frames, size), tf.constant(value, tf.float32))
        kinds.append(("classify_features", {"features": features, "text": words(2)}, "features"))
    for bad in no_jpegs:
        kinds.append(("encoded_frames", {"jpeg_frames": jpegs(2, bad), "text": words(2)}, "jpeg_frames"))
    for shape in wrong_jpegs:
        kinds.append(("encoded_frames", {"jpeg_frames": words(*shape), "text": words(2)}, "jpeg_frames"))
    kinds.append(("encoded_frames", {"jpeg_frames": jpegs(2, jpeg), "text": words(3)}, "text"))
    many_scans = progressive_jpeg(16, 16, extra_scans=40)
    kinds.append(("encoded_frames", {"jpeg_frames": jpegs(2, many_scans), "text": words(2)}, "at most 32 scans"))
    kinds.append(("frame_features", {"frames": frames(1, 1025, *good[2:])}, "at most 1024 frames a request"))
    kinds.append(("serving_default", {"frames": frames(257, *good[1:]), "text": words(257)}, "at most 1024 frames"))
    features = tf.zeros((1025, num_frames, size))
    kinds.append(("classify_features", {"features": features, "text": words(1025)}, "at most 1024 clips a request"))
    long_texts = tf.constant(["", "x" * (MAX_TEXT_BYTES + 1)])
    for name, inputs in [
        ("serving_default", {"frames": frames(*good)}),
        ("encoded_frames", {"jpeg_frames": jpegs(2, jpeg)}),
        ("classify_features", {"features": tf.zeros((2, num_frames, size))}),
    ]:
        kinds.append((name, {**inputs, "text": long_texts}, "at most 1048576 bytes a text"))
    return [kinds[i % len(kinds)] for i in range(200)]


def test_every_malformed_request_gets_an_error_that_names_the_input(plain, served):
    signatures = tf.saved_model.load(str(served)).signatures
    frames, texts = questions(plain)
    good = {"frames": tf.constant(frames), "text": tf.constant(texts)}
    expected = expected_scores(plain)["colour"]
    requests = malformed(plain)
    for number, (name, inputs, blamed) in enumerate(requests):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            signatures[name](**inputs)
        received = {key: value.shape for key, value in inputs.items()}
        assert blamed in str(caught.value).split("[Op:")[0], (name, received, str(caught.value))
        if number % 20 == 19:
            np.testing.assert_allclose(signatures["serving_default"](**good)["colour_scores"], expected, atol=TOLERANCE)


def test_the_longest_text_is_answered_alike_and_a_longer_one_by_no_form(plain, served):
    frames, _ = questions(plain)
    first, *_ = plain.config.model.text_fields
    longest = join_fields({first: "A blue film " + "x" * (MAX_TEXT_BYTES - 13)}, plain.config.model.text_fields)
    assert len(longest) == MAX_TEXT_BYTES
    forms = [open_model(plain.path), open_model(served)]
    kept, exported = (form.scores(frames[:2], [longest, ""]) for form in forms)
    for head, scores in kept.items():
        np.testing.assert_allclose(exported[head], scores, atol=TOLERANCE)
    for form in forms:
        with pytest.raises(InputError, match="expected at most 1,048,576 bytes of words a clip"):
            form.scores(frames[:2], [longest + "x", ""])


@pytest.mark.slow
def test_folding_batch_norm_changes_nothing():
    keras.utils.set_random_seed(0)
    cnn = build_backbone("mobilenet_v2", 64, 64, "none")
    rng = np.random.default_rng(0)
    for layer in cnn.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    folded = fold_batch_norm(cnn)
    assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in cnn.layers)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    images = rng.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    expected = cnn.predict(images, verbose=0)
    # rounding of float32 through some fifty layers
    np.testing.assert_allclose(
        folded.predict(images, verbose=0), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max()
    )


def test_a_batch_norm_that_others_stand_before_stays():
    inputs = keras.Input((8, 8, 3))
    shared = keras.layers.Conv2D(4, 3, name="shared")(inputs)
    x = keras.layers.BatchNormalization(name="beside")(shared)
    bent = keras.layers.Conv2D(4, 3, activation="relu", name="bent", padding="same")(x)
    x = keras.layers.Add()([keras.layers.BatchNormalization(name="behind_relu")(bent), shared])
    cnn = keras.Model(inputs, keras.layers.BatchNormalization(name="behind_add")(x))
    folded = fold_batch_norm(cnn)
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(folded.predict(images, verbose=0), cnn.predict(images, verbose=0), atol=1e-6)
    kept = [layer.name for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert kept == ["beside", "behind_relu", "behind_add"]


@pytest.mark.slow
def test_a_model_with_batch_norm_says_the_same_when_exported(plain, tmp_path):
    config = dataclasses.replace(plain.config.model, backbone="mobilenet_v2", height=32, width=32, num_frames=2)
    model = build_model(config, plain.labels, len(plain.vocabulary))
    rng = np.random.default_rng(0)
    for layer in backbone_of(model).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.8, 1.2, weight.shape) for weight in layer.get_weights()])
    save_run(tmp_path / "run", model, config, plain.labels, plain.vocabulary)
    served = open_model(export_saved_model(tmp_path / "run", tmp_path / "served"))
    frames = rng.integers(0, 256, (3, 2, 32, 32, 3), dtype=np.uint8)
    texts = ["", "A blue film", "一个红色的视频"]
    expected = model.predict({"frames": frames, "token_ids": encode_texts(texts, plain)}, verbose=0)
    answers = served.scores(frames, texts)
    for head, scores in expected.items():
        np.testing.assert_allclose(answers[head], scores, atol=TOLERANCE)
    unfolded, folded = (
        InferenceGraph(take_apart(model, config, fold=fold)).encode(tf.constant(frames)) for fold in (False, True)
    )
    np.testing.assert_allclose(folded, unfolded, rtol=1e-3, atol=1e-4 * np.abs(unfolded).max())


def test_a_graph_with_python_in_it_is_refused(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: tf.numpy_function(np.sin, [x], tf.float32), input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(VidmodelError, match=r"would not run everywhere: .* Received: PyFunc on "):
        check_portable(tmp_path)


def test_what_is_no_run_or_no_place_is_refused(plain, tmp_path):
    with pytest.raises(InputError, match=r"is not a run folder \(no config\.json in it\)"):
        export_saved_model(tmp_path, tmp_path / "out")
    (tmp_path / "file").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tflite").write_text("mine")
    for export, out, received in (
        (export_saved_model, tmp_path / "file", r"file: expected .*\. Received: a file; give another --out"),
        (export_tflite, tmp_path / "other", r"tflite: expected .*\. Received: a file; give another --out"),
        (export_saved_model, plain.path, r"expected a folder for exported models\. Received: a run folder"),
        (export_openvino, plain.path, r"expected a folder for exported models\. Received: a run folder"),
        (export_onnx, plain.path, r"expected a folder for exported models\. Received: a run folder"),
    ):
        with pytest.raises(InputError, match=received):
            export(plain.path, out)
    assert (tmp_path / "other" / "tflite").read_text() == "mine"
    assert not list(plain.path.glob(".*partial"))
    shutil.rmtree(tmp_path / "other")
    tf.saved_model.save(tf.Module(), str(tmp_path / "other"))
    with pytest.raises(InputError, match=r"expected a SavedModel made by `vidmodel export`"):
        open_model(tmp_path / "other")


def test_another_run_s_model_is_not_verified(served, data_set, tmp_path):
    run, labels = open_model(served).run, {"mood": ["good", "bad"]}
    save_run(
        tmp_path / "run",
        build_model(run.config.model, labels, len(run.vocabulary)),
        run.config.model,
        labels,
        run.vocabulary,
    )
    with pytest.raises(InputError, match=r"was not made from .*the labels \{'colour'.*\}, not \{'mood'"):
        verify(served, tmp_path / "run")
    with pytest.raises(InputError, match="keeps no examples to verify with"):
        verify(tmp_path / "run", tmp_path / "run")


class Answering(Form):
    """A form of the model that always answers the same."""

    tolerance = 1e-4

    def __init__(self, run, score):
        self.run, self.score = run, score

    def encode(self, frames, previous=None):
        return frames

    def classify(self, features, words):
        return {head: np.full((len(words), len(names)), self.score) for head, names in self.run.labels.items()}


@pytest.mark.parametrize("score", [np.nan, 0.5])
def test_what_always_says_the_same_is_not_verified(plain, score):
    result = verify(Answering(plain, score), plain.path)
    assert not result.passed
    differences = {found.max_difference for found in result.answers["scores"].values()}
    assert (differences == {None}) == np.isnan(score)


def test_a_model_of_another_size_is_not_verified(served, plain, tmp_path):
    config = dataclasses.replace(plain.config.model, num_frames=2)
    model = build_model(config, plain.labels, len(plain.vocabulary))
    save_run(tmp_path / "run", model, config, plain.labels, plain.vocabulary)
    with pytest.raises(InputError, match=r"was not made from .*Received: model\.num_frames=4, not 2"):
        verify(served, tmp_path / "run")


@pytest.mark.parametrize(
    "name",
    [
        *("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"),
        *("assets/vocabulary.txt", "assets.extra/run/labels.json", "assets.extra/run/vocabulary.txt"),
    ],
)
def test_a_version_that_is_not_as_it_was_written_is_refused(version, tmp_path, name):
    for number, damage in enumerate(DAMAGES.values()):
        copy = shutil.copytree(version, tmp_path / str(number))
        damage(copy / name)
        with pytest.raises(InputError, match=rf"{copy}: .*Received: {name} \(changed\); .*vidmodel export"):
            open_model(copy)
