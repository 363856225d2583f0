"""Loads the weights of `model.keras` into a graph that was rebuilt from its settings."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import keras

from vidmodel_tf.errors import InputError, cause
from vidmodel_tf.model.image_encoder import check_serialized
from vidmodel_tf.model.keras_file import read_keras_config

_SMALL = 2**24  # numbers, quickly built; which weights are too many is said by name then


def load_weights(model: keras.Model, path: str | Path) -> None:
    """Loads weights after checking that file and model have the same ones, by name and shape.

    Keras's own `load_weights` goes by position and accepts any weight of the right shape there.

    Args:
        model: A model of `build_model`.
        path: A `.keras` file of one with the same settings.

    Raises:
        InputError: The file is missing, is no Keras model, or has other weights; the message names the first that
            differ.
    """
    if not Path(path).is_file():
        raise InputError(f"expected the weights of a model in {path}. Received: no such file")
    _check_no_larger(path, model)
    try:
        saved = keras.saving.load_model(path, compile=False)
    except Exception as error:  # zipfile, HDF5, JSON and Keras each raise their own
        raise InputError(f"expected a Keras model in {path}. Received: {cause(error)}") from error
    _check_same(saved, model, path)
    for weight, value in zip(model.weights, saved.weights, strict=True):
        weight.assign(value)


def _check_no_larger(path: str | Path, model: keras.Model) -> None:
    """Keras builds the model that the file describes, however large, before it looks at the weights."""
    found = check_serialized(read_keras_config(path), str(path))
    expected = sum(math.prod(variable.shape) for variable in model.variables)
    if found > expected + _SMALL:
        raise InputError(
            f"the weights in {path} belong to another model: expected {expected:,} numbers. Received: {found:,}"
        )


def _check_same(saved: keras.Model, model: keras.Model, path: str | Path) -> None:
    for expected, found in itertools.zip_longest(model.weights, saved.weights):
        if not _is_same(expected, found):
            raise InputError(
                f"the weights in {path} belong to another model: "
                f"expected {_describe(expected)}. Received: {_describe(found)}"
            )


def _is_same(expected: keras.Variable | None, found: keras.Variable | None) -> bool:
    if expected is None or found is None or expected.shape != found.shape:
        return False
    # When Keras reads a model, the layers inside a Bidirectional lose the outer part of their path.
    return _path(expected) == _path(found) or _path(expected).endswith(f"/{_path(found)}")


def _path(weight: keras.Variable) -> str:
    """Without the number of a weight that its layer gave no name: Keras counts up with each model that is built."""
    return re.sub(r"/variable_\d+$", "/variable", weight.path)


def _describe(weight: keras.Variable | None) -> str:
    return f"{weight.path} of shape {list(weight.shape)}" if weight is not None else "no further weights"
