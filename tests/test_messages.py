"""The client's own messages against those of the packages tensorflow-serving-api and tensorflow."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.serving.messages import (
    STATES,
    PredictRequest,
    PredictResponse,
    StatusRequest,
    StatusResponse,
    set_strings,
    to_array,
)

JPEGS = np.array([[b"\xff\xd8a", b""], [b"\x00", "中文".encode()]], object)
SCORES = np.array([[0.25, 0.5], [0.1, 1.0]], np.float32)


def test_a_request_is_read_as_it_was_meant():
    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "colours 颜色", "encoded_frames"
    request.model_spec.version.value = 7
    set_strings(request.inputs.add(key="jpeg_frames").value, JPEGS)
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    spec = read.model_spec
    assert (spec.name, spec.signature_name, spec.version.value) == ("colours 颜色", "encoded_frames", 7)
    assert list(read.inputs) == ["jpeg_frames"]
    assert np.array_equal(tf.make_ndarray(read.inputs["jpeg_frames"]), JPEGS)
    status = StatusRequest()
    status.model_spec.name = "m"
    assert get_model_status_pb2.GetModelStatusRequest.FromString(status.SerializeToString()).model_spec.name == "m"


def as_numbers(tensor):
    tensor.CopyFrom(tf.make_tensor_proto(np.zeros(0, np.float32), shape=(0,)))
    tensor.tensor_shape.CopyFrom(tf.TensorShape(SCORES.shape).as_proto())
    tensor.float_val.extend(SCORES.ravel().tolist())


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (lambda tensor: tensor.CopyFrom(tf.make_tensor_proto(SCORES)), SCORES),  # bytes
        (as_numbers, SCORES),
        (lambda tensor: tensor.CopyFrom(tf.make_tensor_proto(JPEGS, tf.string)), JPEGS),
        (lambda tensor: tensor.CopyFrom(tf.make_tensor_proto(0.5, tf.float32, (2, 3))), np.full((2, 3), 0.5, "f4")),
        (lambda tensor: tensor.CopyFrom(tf.make_tensor_proto(b"a", tf.string, (2,))), np.array([b"a"] * 2, object)),
    ],
    ids=["bytes", "numbers", "strings", "one number for all", "one string for all"],
)
def test_an_answer_is_read_as_tensorflow_reads_it(fill, expected):
    response = predict_pb2.PredictResponse()
    fill(response.outputs["colour_scores"])
    assert np.array_equal(tf.make_ndarray(response.outputs["colour_scores"]), expected)
    (named,) = PredictResponse.FromString(response.SerializeToString()).outputs
    found = to_array(named.value)
    assert named.key == "colour_scores"
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.array_equal(found, expected)


def test_other_tensors_are_refused():
    response = predict_pb2.PredictResponse()
    response.outputs["ids"].CopyFrom(tf.make_tensor_proto([1, 2]))
    (named,) = PredictResponse.FromString(response.SerializeToString()).outputs
    with pytest.raises(VidmodelError, match=r"the server: expected scores and labels\. Received: a tensor of type 3"):
        to_array(named.value)


def test_the_states_of_versions():
    assert {number: name for name, number in get_model_status_pb2.ModelVersionStatus.State.items()} == dict(STATES)
    response = get_model_status_pb2.GetModelStatusResponse()
    response.model_version_status.add(version=3, state=30)
    (status,) = StatusResponse.FromString(response.SerializeToString()).model_version_status
    assert (status.version, status.state) == (3, 30)
