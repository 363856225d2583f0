"""A Keras model from an image to a vector, as a backbone: what is required of one, and how it is stored.

A run folder holds such a model as Keras's serialised object (JSON, no code); the weights are in `model.keras`. So the
run can be rebuilt where the file or preset that the model came from is gone.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
from keras import layers

from vidmodel_tf.errors import InputError, cause
from vidmodel_tf.extras import import_extra
from vidmodel_tf.model.num_weights import MAX_WEIGHTS

Serialized = dict[str, Any]  # what `keras.saving.serialize_keras_object` gives for a model, as JSON holds it

# Layers that hold code (or load it from elsewhere) instead of settings.
_WITH_CODE = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer")
_DTYPES = ("float32", "int32", "int64", "uint32", "bool")


def serialize_encoder(encoder: keras.Model) -> Serialized:
    """The encoder without its weights, as JSON values; `rebuild_encoder` is the inverse."""
    return json.loads(json.dumps(keras.saving.serialize_keras_object(encoder)))


def rebuild_encoder(serialized: Any, height: int, width: int, *, precision: str, subject: str) -> keras.Model:
    """Builds an encoder with random weights from what was stored of it.

    Args:
        serialized: The serialised object, from a file that may be damaged or made to do harm.
        height: Of the images that it will be given, in pixels.
        width: Pixels.
        precision: With "float32", layers that were stored in mixed precision compute in float32.
        subject: The file, for the messages.

    Raises:
        InputError: It is no model from an image [H, W, 3] to a vector, or holds what is not allowed.
    """
    check_serialized(serialized, subject)
    if precision == "float32":
        serialized = _in_float32(serialized)
    return with_fixed_input(_deserialize(serialized, subject), height, width, subject)


def in_float32(encoder: keras.Model, subject: str) -> keras.Model:
    """The same encoder, where layers that were saved in mixed precision compute in float32 too."""
    serialized = serialize_encoder(encoder)
    if (wanted := _in_float32(serialized)) == serialized:
        return encoder
    converted = _deserialize(wanted, subject)
    converted.set_weights(encoder.get_weights())
    return converted


def check_serialized(serialized: Any, subject: str) -> int:
    """Refuses, before anything large is built, a serialised object that is no model, holds code, or is too large.

    Returns:
        The number of its weights, and of other numbers that it keeps.

    Raises:
        InputError: With the reason. Also where the model is made of layers of KerasHub and that is not installed.
    """
    if not isinstance(serialized, dict) or not {"class_name", "config"} <= serialized.keys():
        raise InputError("expected a Keras model. Received: something else", subject=subject)
    objects = list(_objects(serialized))
    for class_name, _ in objects:
        if class_name in _WITH_CODE:
            raise InputError(
                f"expected a model of layers without code in them. Received: a {class_name.strip('_')}; "
                "make that step of layers that Keras has, and save it again",
                subject=subject,
            )
    if any(module.split(".")[0] == "keras_hub" for _, module in objects):
        import_extra("keras_hub", extra="hub", needed_for=f"the layers of {subject}")
    # Keras remembers, by thread, the variables that it has not given values yet, and would give them some later.
    with ThreadPoolExecutor(1) as thread:
        num_weights = thread.submit(_count_weights, serialized, subject).result()
    if num_weights > MAX_WEIGHTS:
        raise InputError(
            f"expected a model of at most {MAX_WEIGHTS:,} weights. Received: {num_weights:,}", subject=subject
        )
    return num_weights


def _count_weights(serialized: Serialized, subject: str) -> int:
    with keras.StatelessScope(initialize_variables=False):  # shapes alone: nothing is allocated
        return sum(math.prod(variable.shape) for variable in _deserialize(serialized, subject).variables)


def with_fixed_input(model: keras.Model, height: int, width: int, subject: str) -> keras.Model:
    """The same model as a plain functional one that takes float32 images of one size.

    Args:
        model: A functional or sequential model.
        height: Pixels.
        width: Pixels.
        subject: Where it comes from, for the messages.

    Returns:
        Images float32 [B, H, W, 3] to [B, F], with the same weights.

    Raises:
        InputError: The model takes something else, or gives something else.
    """
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise InputError(
            "expected a functional or sequential model whose input is declared (keras.Input). "
            f"Received: a {type(model).__name__} without one",
            subject=subject,
        )
    _check_input(inputs, height, width, subject)
    encoder = keras.Model(inputs[0], outputs[0], name=model.name)
    if inputs[0].shape[1:] != (height, width, 3) or inputs[0].dtype != "float32":
        encoder = _clone(encoder, (height, width, 3), subject)
    _check_output([encoder.output, *outputs[1:]], subject)
    for weight in encoder.weights:
        if weight.dtype not in _DTYPES:
            raise InputError(
                f"expected weights in float32. Received: {weight.path} in {weight.dtype}; "
                "save the model in float32 (or mixed precision), not quantised",
                subject=subject,
            )
    return encoder


def _clone(encoder: keras.Model, shape: tuple[int, int, int], subject: str) -> keras.Model:
    try:
        clone = keras.models.clone_model(encoder, input_tensors=layers.Input(shape, name="image"))
    except Exception as error:  # each layer refuses a shape in its own way
        raise InputError(
            f"the model cannot take images of {shape[0]} x {shape[1]} pixels: {cause(error)}", subject=subject
        ) from error
    clone.set_weights(encoder.get_weights())
    return clone


def _check_input(inputs: list, height: int, width: int, subject: str) -> None:
    shapes = [list(tensor.shape) for tensor in inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 3:
        raise InputError(
            "expected a model with one input, an image [H, W, 3]. "
            f"Received: {', '.join(map(_shown, shapes)) or 'none'}",
            subject=subject,
        )
    _, own_height, own_width, _ = shapes[0]
    if own_height not in (None, height) or own_width not in (None, width):
        own_height, own_width = own_height or height, own_width or width
        raise InputError(
            f"this backbone takes images of {own_height} x {own_width} pixels (height x width): "
            f"add --set model.height={own_height} --set model.width={own_width}. Received: {height} x {width}",
            subject=subject,
        )


def _check_output(outputs: list, subject: str) -> None:
    shapes = [list(tensor.shape) for tensor in outputs]
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] is None:
        advice = "; end it with GlobalAveragePooling2D" if len(shapes) == 1 and len(shapes[0]) == 4 else ""
        raise InputError(
            "expected a model with one output, a vector for each image. "
            f"Received: {', '.join(map(_shown, shapes))}{advice}",
            subject=subject,
        )


def _shown(shape: list) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape[1:]) + "]"


def _deserialize(serialized: Serialized, subject: str) -> keras.Model:
    # A copy, for Keras takes the settings out of what it is given.
    serialized = copy.deepcopy({**serialized, "compile_config": None})
    try:
        model = keras.saving.deserialize_keras_object(serialized, safe_mode=True)
    except Exception as error:  # whatever a class makes of settings that it does not expect
        raise InputError(
            f"expected a Keras model made of layers that Keras or KerasHub has. Received: {_innermost(error)}",
            subject=subject,
        ) from error
    if not isinstance(model, keras.Model):
        raise InputError(f"expected a Keras model. Received: a {type(model).__name__}", subject=subject)
    return model


def _innermost(error: Exception) -> str:
    """Keras wraps the error of a layer in one of each model around it, settings and all: the first one says it."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return cause(error)


def _objects(value: Any) -> Iterator[tuple[str, str]]:
    """Class name and module of everything in a serialised object."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            yield value["class_name"], str(value.get("module"))
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _in_float32(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_float32(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy" and str(value["config"].get("name")).startswith("mixed_"):
        return {**value, "config": {**value["config"], "name": "float32"}}
    return {key: _in_float32(part) for key, part in value.items()}
