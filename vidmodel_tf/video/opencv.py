"""OpenCV, imported when it is first needed, with one line for users where that fails."""

from __future__ import annotations

import importlib
import os
import re
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


def decoder_version() -> dict[str, str]:
    """Name and version of the decoder and of the FFmpeg libraries built into it.

    Kept with every prepared data set, because another version may give other pixels.
    """
    cv2 = import_opencv()
    libraries = re.findall(r"\b(avcodec|avformat|swscale):\s+YES \(([\d.]+)\)", cv2.getBuildInformation())
    return {"name": "opencv", "version": cv2.__version__, **dict(libraries)}


def silence_decoder() -> None:
    """Keeps FFmpeg and OpenCV from writing to stderr about broken files: what matters is in the errors raised.

    OpenCV reads both settings when it is imported: call this before.
    """
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"  # AV_LOG_QUIET
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
