"""The weights of `model.keras` into a graph that was rebuilt from its settings."""

from __future__ import annotations

from pathlib import Path

import keras

from vidmodel_tf.errors import InputError


def load_weights(model: keras.Model, path: str | Path) -> None:
    """Loads weights after checking that both sides have the same, by name and shape.

    Keras's own `load_weights` goes by position, and takes what happens to have the right shape there.

    Args:
        model: A model of `build_model`.
        path: A `.keras` file of one with the same settings.

    Raises:
        InputError: The file is missing, is no Keras model, or its weights are others; the first that differ are named.
    """
    if not Path(path).is_file():
        raise InputError(f"expected the weights of a model in {path}. Received: no such file")
    try:
        saved = keras.saving.load_model(path, compile=False)
    except Exception as error:  # zipfile, HDF5, JSON and Keras each raise their own
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"expected a Keras model in {path}. Received: {cause}") from error
    values = {weight.path: weight for weight in saved.weights}
    _check_same({name: tuple(value.shape) for name, value in values.items()}, model, path)
    for weight in model.weights:
        weight.assign(values[weight.path])


def _check_same(saved: dict[str, tuple[int, ...]], model: keras.Model, path: str | Path) -> None:
    expected = {weight.path: tuple(weight.shape) for weight in model.weights}
    for name in [*expected, *saved]:
        if expected.get(name) != saved.get(name):
            raise InputError(
                f"the weights in {path} belong to another model: "
                f"expected {_describe(name, expected)}. Received: {_describe(name, saved)}"
            )


def _describe(name: str, shapes: dict[str, tuple[int, ...]]) -> str:
    return f"{name} of shape {list(shapes[name])}" if name in shapes else f"no {name}"
