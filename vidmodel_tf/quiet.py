"""Imports TensorFlow without its messages about processors and plugins, which tell users of a command nothing."""

from __future__ import annotations

import logging
import os
import sys
import tempfile


def import_tensorflow() -> None:
    """Imports TensorFlow; what it prints meanwhile is shown only if it fails.

    Some of it comes from C++ before any setting of log levels is read, so that only the file descriptor helps.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            import tensorflow as tf
        except Exception:
            os.dup2(standard_error, 2)
            kept.seek(0)
            os.write(2, kept.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # its errors hold tracebacks, also of what does no harm
