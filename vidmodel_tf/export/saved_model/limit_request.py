"""Checks the limits of a request in the graph, before anything is decoded or encoded.

A server that batches has each batch checked as one request.
"""

from __future__ import annotations

import tensorflow as tf

from vidmodel_tf.export.saved_model import request_limits
from vidmodel_tf.export.saved_model.request_checks import check
from vidmodel_tf.text.fields import MAX_TEXT_BYTES


def limit_texts(name: str, texts_B: tf.Tensor) -> tf.Tensor:
    """Checks the bytes of each text and of all together, and gives the texts."""
    words, num_bytes = "at most {} bytes a text", tf.strings.length(texts_B)
    return _limit(name, texts_B, num_bytes, words, MAX_TEXT_BYTES, request_limits.MAX_TEXT_BYTES_TOGETHER)


def limit_number(name: str, value: tf.Tensor, number: tf.Tensor, most: int, what: str) -> tf.Tensor:
    """Checks how many there are of something in `value`, and gives `value`."""
    return check(name, number <= most, [f"{name}: expected at most {most} {what} a request. Received", number], value)


def limit_jpegs(name: str, jpegs_N: tf.Tensor) -> tf.Tensor:
    """Checks bytes, scans and pixels of JPEG files without decoding them, and gives the files."""
    num_bytes = tf.strings.length(jpegs_N)
    jpegs_N = _limit(name, jpegs_N, num_bytes, "JPEG files of at most {} bytes", request_limits.MAX_JPEG_BYTES)
    # In compressed data a byte FF is followed by 00, so that FF DA is the start of a scan. The length behind it begins
    # with 00, which what cameras put behind a picture hardly ever has in that place.
    num_scans = tf.strings.split(jpegs_N, b"\xff\xda\x00").row_lengths() - 1
    jpegs_N = _limit(name, jpegs_N, num_scans, "JPEG files of at most {} scans", request_limits.MAX_JPEG_SCANS)
    num_pixels = tf.map_fn(_num_pixels, jpegs_N, fn_output_signature=tf.TensorSpec((), tf.int64))
    most, together = request_limits.MAX_JPEG_PIXELS, request_limits.MAX_JPEG_PIXELS_TOGETHER
    return _limit(name, jpegs_N, num_pixels, "JPEG files of at most {} pixels", most, together)


def _num_pixels(jpeg: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.io.extract_jpeg_shape(jpeg, output_type=tf.dtypes.int64)[:2])


def _limit(
    name: str, values: tf.Tensor, sizes_N: tf.Tensor, words: str, most: int, most_together: int | None = None
) -> tf.Tensor:
    sizes_N = tf.cast(sizes_N, tf.int64)
    largest, together = tf.reduce_max(sizes_N), tf.reduce_sum(sizes_N)
    expected = f"{name}: expected {words.format(most)}"
    if most_together is None:
        return check(name, largest <= most, [f"{expected}. Received", largest], values)
    message = [f"{expected}, and {most_together} together. Received", largest, "and", together]
    return check(name, (largest <= most) & (together <= most_together), message, values)
