"""The messages of TF Serving's gRPC interface, as far as the client uses them, without TensorFlow.

The Python package that holds them all imports TensorFlow. On the wire a message is its field numbers and types, so
those are declared here once more, as the public .proto files have them: `model`, `predict` and `get_model_status` of
tensorflow_serving/apis, `tensor` and `tensor_shape` of tensorflow/core/framework. A test holds them to that package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from vidmodel_tf.errors import VidmodelError

_PACKAGE = "vidmodel_tf.serving"
_Kind = descriptor_pb2.FieldDescriptorProto


class _Field(NamedTuple):
    name: str
    number: int
    kind: int | str  # a type of protobuf, or a message of this module
    is_repeated: bool = False


_MESSAGES: Mapping[str, Sequence[_Field]] = MappingProxyType(
    {
        "Version": [_Field("value", 1, _Kind.TYPE_INT64)],
        "ModelSpec": [
            _Field("name", 1, _Kind.TYPE_STRING),
            _Field("version", 2, "Version"),
            _Field("signature_name", 3, _Kind.TYPE_STRING),
        ],
        "Dimension": [_Field("size", 1, _Kind.TYPE_INT64)],
        "Shape": [_Field("dim", 2, "Dimension", is_repeated=True)],
        "Tensor": [
            _Field("dtype", 1, _Kind.TYPE_INT32),
            _Field("tensor_shape", 2, "Shape"),
            _Field("tensor_content", 4, _Kind.TYPE_BYTES),
            _Field("float_val", 5, _Kind.TYPE_FLOAT, is_repeated=True),
            _Field("string_val", 8, _Kind.TYPE_BYTES, is_repeated=True),
        ],
        "NamedTensor": [_Field("key", 1, _Kind.TYPE_STRING), _Field("value", 2, "Tensor")],
        "PredictRequest": [_Field("model_spec", 1, "ModelSpec"), _Field("inputs", 2, "NamedTensor", is_repeated=True)],
        "PredictResponse": [_Field("outputs", 1, "NamedTensor", is_repeated=True)],
        "StatusRequest": [_Field("model_spec", 1, "ModelSpec")],
        "VersionStatus": [_Field("version", 1, _Kind.TYPE_INT64), _Field("state", 2, _Kind.TYPE_INT32)],
        "StatusResponse": [_Field("model_version_status", 1, "VersionStatus", is_repeated=True)],
    }
)
STATES: Mapping[int, str] = MappingProxyType(
    {0: "UNKNOWN", 10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
)
_FLOAT, _STRING = 1, 7  # of TensorFlow's DataType


def _build() -> dict[str, type]:
    file = descriptor_pb2.FileDescriptorProto(name="vidmodel_tf/serving.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            label = _Kind.LABEL_REPEATED if field.is_repeated else _Kind.LABEL_OPTIONAL
            declared = message.field.add(name=field.name, number=field.number, label=label)
            if isinstance(field.kind, str):
                declared.type, declared.type_name = _Kind.TYPE_MESSAGE, f".{_PACKAGE}.{field.kind}"
            else:
                declared.type = cast(Any, field.kind)
    pool = descriptor_pool.DescriptorPool()  # of its own: TensorFlow may register the full messages in the common one
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _build()
PredictRequest = _CLASSES["PredictRequest"]
PredictResponse = _CLASSES["PredictResponse"]
StatusRequest = _CLASSES["StatusRequest"]
StatusResponse = _CLASSES["StatusResponse"]


def set_strings(tensor: Any, values: np.ndarray) -> None:
    """Fills a `Tensor` with byte strings of any shape."""
    tensor.dtype = _STRING
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.string_val.extend(values.ravel().tolist())


def to_array(tensor: Any) -> np.ndarray:
    """A `Tensor` of floats or strings -> float32, or an object array of byte strings.

    Raises:
        VidmodelError: It is of another type.
    """
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.dtype == _FLOAT and tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, "<f4").reshape(shape)
    if tensor.dtype not in (_FLOAT, _STRING):
        raise VidmodelError(f"the server: expected scores and labels. Received: a tensor of type {tensor.dtype}")
    is_float = tensor.dtype == _FLOAT
    values = np.array(list(tensor.float_val if is_float else tensor.string_val), np.float32 if is_float else object)
    # A tensor may leave out the values at its end that are equal to the last one given.
    num_left_out = math.prod(shape) - len(values)
    return np.pad(values, (0, num_left_out), mode="edge").reshape(shape) if num_left_out else values.reshape(shape)
