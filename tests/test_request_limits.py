"""What one request may ask of an exported graph; the graph itself is asked in test_saved_model.py."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import MODEL
from tests.progressive_jpegs import progressive_jpeg
from vidmodel_tf.export.saved_model import request_limits
from vidmodel_tf.export.saved_model.limit_request import limit_jpegs, limit_texts
from vidmodel_tf.export.saved_model.request_limits import MAX_TEXT_BYTES_TOGETHER, describe_limits, max_frames
from vidmodel_tf.text.fields import MAX_TEXT_BYTES


def ask(limit, values: list[bytes]) -> list[bytes]:
    """What a limit gives back, as a graph."""
    graph = tf.function(lambda tensor: limit("given", tensor), input_signature=[tf.TensorSpec((None,), tf.string)])
    return graph(tf.constant(values, tf.string)).numpy().tolist()


def jpeg(height: int, width: int) -> bytes:
    return tf.io.encode_jpeg(np.zeros((height, width, 3), np.uint8)).numpy()


def test_texts():
    longest = b"x" * MAX_TEXT_BYTES
    assert ask(limit_texts, [longest, b"", "\u00e9".encode()]) == [longest, b"", b"\xc3\xa9"]
    expected = "given: expected at most 1048576 bytes a text, and 16777216 together. Received 1048577 and 1048579"
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        ask(limit_texts, [b"x" * (MAX_TEXT_BYTES - 1) + "\u00e9".encode(), b"", b"\xff\xff"])
    assert expected in str(caught.value).replace("] [", " ").replace("[", "").replace("]", "")
    ask(limit_texts, [longest] * 16)
    assert MAX_TEXT_BYTES_TOGETHER == 16 * MAX_TEXT_BYTES
    with pytest.raises(tf.errors.InvalidArgumentError, match="and 16777216 together"):
        ask(limit_texts, [longest] * 16 + [b"x"])


def test_pixels_are_counted_before_anything_is_decoded(monkeypatch):
    monkeypatch.setattr(tf.io, "decode_jpeg", None)
    files = [jpeg(20, 30), jpeg(1, 1), progressive_jpeg(40, 24)]
    assert ask(limit_jpegs, files) == files
    monkeypatch.setattr(request_limits, "MAX_JPEG_PIXELS", 959)
    with pytest.raises(tf.errors.InvalidArgumentError, match="given: expected JPEG files of at most 959 pixels, and"):
        ask(limit_jpegs, files)
    monkeypatch.setattr(request_limits, "MAX_JPEG_PIXELS", 960)
    assert ask(limit_jpegs, files) == files
    monkeypatch.setattr(request_limits, "MAX_JPEG_PIXELS_TOGETHER", 1560)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 960 pixels, and 1560 together"):
        ask(limit_jpegs, files)
    monkeypatch.setattr(request_limits, "MAX_JPEG_PIXELS_TOGETHER", 1561)
    assert ask(limit_jpegs, files) == files


def test_a_picture_that_claims_to_be_huge_costs_nothing():
    small = bytearray(jpeg(16, 16))
    at = small.index(b"\xff\xc0") + 5  # height and width, two bytes each
    small[at : at + 4] = b"\xf0\x00\xf0\x00"
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"at most 33554432 pixels.*3774873600"):
        ask(limit_jpegs, [bytes(small)])


def test_many_scans():
    assert ask(limit_jpegs, [progressive_jpeg(16, 16, extra_scans=20)])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"given: expected JPEG files of at most 32 scans"):
        ask(limit_jpegs, [jpeg(16, 16), progressive_jpeg(16, 16, extra_scans=30)])


def test_bytes(monkeypatch):
    monkeypatch.setattr(request_limits, "MAX_JPEG_BYTES", len(jpeg(16, 16)))
    ask(limit_jpegs, [jpeg(16, 16)])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"given: expected JPEG files of at most \d+ bytes"):
        ask(limit_jpegs, [jpeg(16, 16) + b"x"])


def test_a_request_has_room_for_many_clips_however_long_they_are():
    assert max_frames(MODEL) == 1024
    assert max_frames(dataclasses.replace(MODEL, num_frames=128)) == 64 * 128
    assert describe_limits(MODEL)["frames"] == 1024
    assert "frames" not in describe_limits(dataclasses.replace(MODEL, branches="text"))


def test_what_a_camera_puts_behind_a_picture_is_no_scan():
    film = b"\xff\xda\x01" * 1000
    assert ask(limit_jpegs, [jpeg(16, 16) + film]) == [jpeg(16, 16) + film]
