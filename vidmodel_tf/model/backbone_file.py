"""A backbone from a `.keras` file: any model from an image [H, W, 3] to a vector."""

from __future__ import annotations

from pathlib import Path

import keras

from vidmodel_tf.errors import InputError, cause
from vidmodel_tf.model.image_encoder import check_serialized, with_fixed_input
from vidmodel_tf.model.keras_file import read_keras_config
from vidmodel_tf.storage import check_fetched


def load_backbone_model(path: str, height: int, width: int) -> keras.Model:
    """Loads a model with its weights. It is given pixels 0..255, float32, RGB: what it needs beyond is its own.

    Args:
        path: A `.keras` file.
        height: Of the images that it will be given, in pixels.
        width: Pixels.

    Returns:
        A functional model, images float32 [B, H, W, 3] to [B, F].

    Raises:
        InputError: The file is missing or damaged, or the model cannot serve as a backbone.
    """
    check_backbone_file(path)
    check_serialized(read_keras_config(path), path)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, HDF5 and Keras each raise their own
        raise InputError(f"the file is damaged: {cause(error)}", subject=path) from error
    return with_fixed_input(model, height, width, path)


def check_backbone_file(path: str) -> None:
    """Refuses a path where no file is.

    Raises:
        InputError: Nothing is there, or the placeholder of Git LFS.
    """
    if not Path(path).is_file():
        raise InputError(f"backbone: expected a file with a Keras model. Received: {path!r}, where there is none")
    check_fetched(Path(path))
