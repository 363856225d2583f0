"""How large a request may be: what keeps one request from taking a server's memory, or its time from all others.

Checked in the graph before anything is decoded or encoded. A server that batches checks each batch as one request.
"""

from __future__ import annotations

import tensorflow as tf

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.saved_model.request_checks import check
from vidmodel_tf.text.fields import MAX_TEXT_BYTES

MAX_TEXT_BYTES_TOGETHER = 16 * MAX_TEXT_BYTES  # a batch as `deploy/batching.config` has it, each text the longest
MAX_CLIPS = 64  # with their frames; a batch is 16
MAX_CLIPS_WITHOUT_FRAMES = 1024  # as features, or as words alone
MIN_FRAMES = 1024  # which any model takes in one request
MAX_JPEG_BYTES = 32 * 2**20
MAX_JPEG_PIXELS = 2**25  # 8K (7680 x 4320) is a little less
MAX_JPEG_PIXELS_TOGETHER = 2**30  # 512 frames in Full HD
MAX_JPEG_SCANS = 32  # of a progressive file; encoders write about 10, and each is a pass over the whole picture


def max_frames(config: ModelConfig) -> int:
    """How many frames a request may have, of all its clips together."""
    return max(MIN_FRAMES, MAX_CLIPS * config.num_frames)


def describe_limits(config: ModelConfig) -> dict[str, int]:
    """The limits by name, for people who write a client."""
    limits = {
        "text_bytes": MAX_TEXT_BYTES,
        "text_bytes_together": MAX_TEXT_BYTES_TOGETHER,
        "clips_without_frames": MAX_CLIPS_WITHOUT_FRAMES,
    }
    if config.has_frames:
        limits |= {
            "frames": max_frames(config),
            "jpeg_bytes": MAX_JPEG_BYTES,
            "jpeg_pixels": MAX_JPEG_PIXELS,
            "jpeg_pixels_together": MAX_JPEG_PIXELS_TOGETHER,
            "jpeg_scans": MAX_JPEG_SCANS,
        }
    return limits


def limit_texts(name: str, texts_B: tf.Tensor) -> tf.Tensor:
    """Checks the bytes of each text and of all together, and gives the texts."""
    num_bytes = tf.strings.length(texts_B)
    expected = f"expected at most {MAX_TEXT_BYTES} bytes a text, and {MAX_TEXT_BYTES_TOGETHER} together"
    return _limit(name, texts_B, num_bytes, MAX_TEXT_BYTES, MAX_TEXT_BYTES_TOGETHER, expected)


def limit_number(name: str, value: tf.Tensor, number: tf.Tensor, most: int, what: str) -> tf.Tensor:
    """Checks how many there are of something in `value`, and gives `value`."""
    return check(name, number <= most, [f"{name}: expected at most {most} {what} a request. Received", number], value)


def limit_jpegs(name: str, jpegs_N: tf.Tensor) -> tf.Tensor:
    """Checks bytes, scans and pixels of JPEG files without decoding them, and gives the files."""
    expected = f"expected JPEG files of at most {MAX_JPEG_BYTES} bytes"
    jpegs_N = _limit(name, jpegs_N, tf.strings.length(jpegs_N), MAX_JPEG_BYTES, None, expected)
    # In compressed data a byte FF is followed by 00, so that FF DA is the start of a scan.
    num_scans = tf.strings.split(jpegs_N, b"\xff\xda").row_lengths() - 1
    expected = f"expected JPEG files of at most {MAX_JPEG_SCANS} scans"
    jpegs_N = _limit(name, jpegs_N, num_scans, MAX_JPEG_SCANS, None, expected)
    num_pixels = tf.map_fn(_num_pixels, jpegs_N, fn_output_signature=tf.TensorSpec((), tf.int64))
    expected = f"expected JPEG files of at most {MAX_JPEG_PIXELS} pixels, and {MAX_JPEG_PIXELS_TOGETHER} together"
    return _limit(name, jpegs_N, num_pixels, MAX_JPEG_PIXELS, MAX_JPEG_PIXELS_TOGETHER, expected)


def _num_pixels(jpeg: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.io.extract_jpeg_shape(jpeg, output_type=tf.dtypes.int64)[:2])


def _limit(
    name: str, values: tf.Tensor, sizes_N: tf.Tensor, most: int, most_together: int | None, expected: str
) -> tf.Tensor:
    sizes_N = tf.cast(sizes_N, tf.int64)
    largest, together = tf.reduce_max(sizes_N), tf.reduce_sum(sizes_N)
    is_right, message = largest <= most, [f"{name}: {expected}. Received", largest]
    if most_together is not None:
        is_right, message = is_right & (together <= most_together), [*message, "and", together]
    return check(name, is_right, message, values)
