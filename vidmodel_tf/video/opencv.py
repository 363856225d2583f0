"""OpenCV, imported when it is first needed, with one line for users where that fails."""

from __future__ import annotations

import importlib
from types import ModuleType

from vidmodel_tf.errors import VidmodelError


def import_opencv() -> ModuleType:
    """The module `cv2`.

    Raises:
        VidmodelError: It is not installed, or lacks libraries of the system (usual on servers without a display).
    """
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise VidmodelError(
            f"OpenCV cannot be loaded ({' '.join(str(error).split())}). Where opencv-python lacks libraries of the "
            "system, `pip uninstall opencv-python` and `pip install opencv-python-headless`: the same module without "
            "windows"
        ) from None
