"""Other libraries without what they write about processors and plugins, which tells users of a command nothing."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_standard_error() -> Iterator[None]:
    """What is written to standard error in the block is shown only if the block fails.

    Some of it comes from C++, where only the file descriptor helps.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(standard_error, 2)
            kept.seek(0)
            os.write(2, kept.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


@contextlib.contextmanager
def without_standard_output() -> Iterator[None]:
    """What C++ writes there in the block is lost: results belong there."""
    sys.stdout.flush()
    standard_output, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C may have kept some of it
        os.dup2(standard_output, 1)
        os.close(standard_output)


def import_tensorflow() -> None:
    """Imports TensorFlow; what it prints meanwhile, before any setting of log levels is read, is shown if it fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_standard_error():
        import tensorflow as tf
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # its errors hold tracebacks, also of what does no harm
