"""The version of the decoder, its messages switched off, and how a process that decodes begins."""

from __future__ import annotations

import os

import av
import av.logging

from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.workers import begin_worker


def decoder_version() -> dict[str, str]:
    """Name and version of the decoder and of the FFmpeg libraries built into it.

    Kept with every prepared data set, because another version may give other pixels.
    """
    libraries = {
        name: ".".join(map(str, av.library_versions[f"lib{name}"])) for name in ("avcodec", "avformat", "swscale")
    }
    return {"name": "pyav", "version": av.__version__, **libraries}


def silence_decoder() -> None:
    """Keeps FFmpeg and OpenCV from writing to stderr about broken files: what matters is in the errors raised.

    OpenCV reads its setting when it is imported: call this before.
    """
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    av.logging.set_level(None)
    av.logging.set_libav_level(av.logging.PANIC)


def begin_decoding() -> None:
    """To be called first in a worker process that decodes: quiet, one thread of OpenCV, and it ends with its parent."""
    begin_worker()
    silence_decoder()
    import_opencv().setNumThreads(1)  # there is a process for each core
