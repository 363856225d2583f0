"""Which backend Keras computes on: `KERAS_BACKEND`, or what the user's `keras.json` says, else TensorFlow.

Keras itself reads that when it is first imported. TensorFlow is needed on every backend, because it reads the records.
"""

from __future__ import annotations

import importlib
import os
import sys

from vidmodel_tf.errors import InputError, cause
from vidmodel_tf.quiet import import_tensorflow

BACKENDS = ("tensorflow", "jax")
_VARIABLE = "KERAS_BACKEND"


def import_keras() -> None:
    """Imports TensorFlow, and Keras on the chosen backend: the first step of each command that computes a model.

    Raises:
        InputError: No such backend is supported, or its package is not installed.
    """
    _check(chosen_backend())
    import_tensorflow()
    try:
        importlib.import_module("keras")
    except ImportError as error:
        raise InputError(
            f"Keras cannot be imported on the backend that {_VARIABLE} or keras.json names ({cause(error)}): "
            f'pip install "vidmodel_tf[jax]" for jax, or call the command with {_VARIABLE}=tensorflow'
        ) from None
    _check(chosen_backend())


def chosen_backend() -> str:
    """The backend that Keras computes on; before Keras is imported, the one that the environment names."""
    keras = sys.modules.get("keras")
    return os.environ.get(_VARIABLE) or BACKENDS[0] if keras is None else keras.backend.backend()


def require_tensorflow(what: str) -> None:
    """Refuses another backend for what is made of TensorFlow's own graphs.

    Args:
        what: The subject of the message, in the plural ("exports").

    Raises:
        InputError: Keras computes on another one.
    """
    if (name := chosen_backend()) != "tensorflow":
        raise InputError(
            f"{what} need Keras on TensorFlow. Received: Keras on {name}; the run folder is the same for both, so "
            f"call the command again with {_VARIABLE}=tensorflow"
        )


def _check(name: str) -> None:
    if name not in BACKENDS:
        raise InputError(
            f"{_VARIABLE}: expected one of {', '.join(BACKENDS)}. Received: {name}; "
            f"call the command with {_VARIABLE}=tensorflow, or with none where keras.json names no other"
        )
