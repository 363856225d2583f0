"""Packages that only an extra installs, and the one message where they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from vidmodel_tf.errors import InputError


def import_extra(name: str, *, extra: str, needed_for: str) -> ModuleType:
    """Imports a package that the extra `extra` installs.

    Args:
        name: The module.
        extra: `pip install "vidmodel_tf[EXTRA]"` installs it.
        needed_for: What needs it, as the subject of the message ("ONNX files").

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f'{needed_for} need {name}, which is not installed ({error}): pip install "vidmodel_tf[{extra}]"'
        ) from None
