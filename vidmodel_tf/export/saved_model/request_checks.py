"""Checks of a request inside the graph; an error names the input, what was expected and what was received."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_ANY, _END = -1, -2


def check(name: str, is_right: tf.Tensor, message: Sequence[str | tf.Tensor], value: tf.Tensor) -> tf.Tensor:
    """Checks a condition, and gives `value`.

    Args:
        name: The name of the input.
        is_right: The condition, bool [].
        message: What the error says if it does not hold.
        value: What is to be used only if it holds.

    Raises:
        InvalidArgumentError: When the graph runs, if it does not hold.
    """
    with tf.control_dependencies([tf.debugging.Assert(is_right, message, name=name)]):
        return tf.identity(value)


def hide_shape(value: tf.Tensor) -> tf.Tensor:
    """Erases the static shape of a tensor.

    TensorFlow trusts the shape that a signature declares, without checking it; the optimiser would remove our checks.
    """
    return tf.raw_ops.PlaceholderWithDefault(input=value, shape=None)


def check_shape(name: str, value: tf.Tensor, expected: Sequence[int | None], words: str) -> tf.Tensor:
    """Checks the shape of an input, and gives the input with that shape.

    Args:
        name: The name of the input.
        value: The tensor, of whatever shape.
        expected: Sizes of the axes; None: any, but at least 1.
        words: The expected shape in words.

    Raises:
        InvalidArgumentError: When the graph runs, if the shape is another.
    """
    value = hide_shape(value)
    received = tf.shape(value, out_type=tf.int64)
    # With an end mark, so that shapes of any rank can be compared without a branch.
    sizes = tf.constant([_ANY if size is None else size for size in expected] + [_END], tf.int64)
    axes = tf.concat([received, tf.fill([len(expected) + 1], tf.constant(_END, tf.int64))], axis=0)
    axes = axes[: len(expected) + 1]
    is_right = tf.reduce_all(tf.where(sizes == _ANY, axes >= 1, axes == sizes))
    message = [f"{name}: expected {words}. Received the shape", received]
    with tf.control_dependencies([tf.debugging.Assert(is_right, message, summarize=len(expected) + 2, name=name)]):
        return tf.ensure_shape(tf.identity(value), expected)


def check_same_number(name: str, value: tf.Tensor, other_name: str, other: tf.Tensor) -> tf.Tensor:
    """Checks that `value` has as many rows as `other`, and gives `value`."""
    number, expected = tf.shape(value)[0], tf.shape(other)[0]
    message = [f"{name}: expected as many clips as in {other_name},", expected, "Received", number]
    return check(name, number == expected, message, value)


def check_jpegs(name: str, jpegs: tf.Tensor) -> tf.Tensor:
    """Checks that each string begins like a JPEG file (TensorFlow's decoder would take other formats too)."""
    is_jpeg = tf.strings.substr(jpegs, 0, 3) == b"\xff\xd8\xff"
    wrong = tf.where(~is_jpeg)[:1]
    message = [f"{name}: expected JPEG files. Received something else at (clip, frame)", wrong]
    return check(name, tf.reduce_all(is_jpeg), message, jpegs)


def check_finite(name: str, value: tf.Tensor) -> tf.Tensor:
    """Checks that `value` holds neither NaN nor infinity, and gives `value`."""
    message = [f"{name}: expected finite numbers. Received NaN or infinity"]
    return check(name, tf.reduce_all(tf.math.is_finite(value)), message, value)
