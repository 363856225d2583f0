"""Every form of a model decides alike where it is close: a score at its threshold, and scores that are equal."""

from __future__ import annotations

import contextlib
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.exports import questions
from tests.peer_process import MODEL_NAME, Peer
from tests.videos import write_video
from vidmodel_tf.decision import AnyLabels
from vidmodel_tf.export.lite.export import export_tflite
from vidmodel_tf.export.onnx.export import export_onnx
from vidmodel_tf.export.openvino.export import export_openvino
from vidmodel_tf.export.saved_model.export import export_saved_model
from vidmodel_tf.run_folder.run import load_run, write_weights
from vidmodel_tf.scoring.clips import predict
from vidmodel_tf.serving.endpoint import Endpoint
from vidmodel_tf.serving.predict import open_client, predict_by_server

HALF = np.float32(0.5)
BELOW, ABOVE = (float(np.nextafter(HALF, np.float32(end))) for end in (0, 1))
# Thresholds of two classes whose scores are both exactly 0.5, and which of the two are given. A threshold that is
# larger than 0.5 in float64 and equal in float32 is reached.
CASES = {
    "equal, above": ([0.5, ABOVE], [True, False]),
    "nearest to equal, below": ([0.5 + 1e-9, BELOW], [True, True]),
}


@pytest.fixture(scope="module")
def even_run(plain, tmp_path_factory):
    """A run all of whose scores are 0.5."""
    path = shutil.copytree(plain.path, tmp_path_factory.mktemp("even") / "run")
    model = plain.load_model()
    for layer in model.get_layer("head").layers:
        if layer.name in plain.labels and isinstance(layer, keras.layers.Dense):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    write_weights(path, model)
    return load_run(path)


@pytest.fixture(scope="module")
def files(even_run, tmp_path_factory):
    """The models that are not exported anew for other thresholds: those are in a file beside them."""
    out = tmp_path_factory.mktemp("files") / "name"
    lite = export_tflite(even_run.path, out)
    whole = [path for path in lite.glob("*.tflite") if not path.stem.startswith(("frame_features", "classify"))]
    whole += [export_onnx(even_run.path, out) / "model.onnx", *export_openvino(even_run.path, out).glob("*.xml")]
    return [even_run.path, *whole, *lite.glob("frame_features*.tflite")]


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def case(request, even_run, files, tmp_path_factory):
    """The models with the thresholds of a case, and the labels that the case expects of the head "topic"."""
    thresholds, given = request.param
    for path in files:
        folder = path if path.is_dir() else path.parent
        (folder / "thresholds.json").write_text(json.dumps({"topic": thresholds}), encoding="utf-8")
    version = export_saved_model(even_run.path, tmp_path_factory.mktemp("served") / "even")
    labels = tuple(name for name, is_given in zip(even_run.labels["topic"], given, strict=True) if is_given)
    return [*files, version], labels


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "clip.mp4")


def assert_decided(answer, even_run, labels, name):
    colour, topic = answer.heads["colour"], answer.heads["topic"]
    assert set(colour.scores.values()) | set(topic.scores.values()) == {0.5}, name
    assert colour.label == even_run.labels["colour"][0], name
    assert topic == AnyLabels(labels, topic.scores), name


@pytest.mark.slow
def test_predict_answers_alike_with_every_form(even_run, case, video):
    paths, labels = case
    # The run, ONNX, two precisions of OpenVINO, four of TensorFlow Lite, two pairs, a SavedModel.
    assert len(paths) == 11
    for path in paths:
        (answer,) = predict(path, [video])
        assert_decided(answer, even_run, labels, path.name)


@pytest.mark.slow
def test_every_signature_answers_alike_in_the_graph(even_run, case):
    (*_, version), labels = case
    frames, texts = questions(even_run)
    jpegs = np.array([[tf.io.encode_jpeg(frame).numpy() for frame in clip] for clip in frames], object)
    signatures, text = tf.saved_model.load(str(version)).signatures, tf.constant(texts)
    features = signatures["frame_features"](frames=tf.constant(frames))["features"]
    answers = {
        "serving_default": signatures["serving_default"](frames=tf.constant(frames), text=text),
        "encoded_frames": signatures["encoded_frames"](jpeg_frames=tf.constant(jpegs), text=text),
        "classify_features": signatures["classify_features"](features=features, text=text),
    }
    for name, answer in answers.items():
        assert np.all(answer["colour_scores"].numpy() == HALF), name
        assert set(answer["colour_label"].numpy()) == {even_run.labels["colour"][0].encode()}, name
        assert set(answer["topic_labels"].numpy()) == {"|".join(labels).encode()}, name


@pytest.mark.slow
def test_the_client_of_a_server_answers_alike(even_run, case, video):
    (*_, version), labels = case
    peer = Peer(version)
    try:
        for way in ("grpc", "rest"):
            endpoint = Endpoint(f"127.0.0.1:{peer.ports[way]}", MODEL_NAME)
            with contextlib.closing(open_client(endpoint, rest=way == "rest")) as client:
                (answer,) = predict_by_server(client, [video], version)
            assert_decided(answer, even_run, labels, way)
    finally:
        peer.process.communicate(timeout=60)
