"""Clips of which one picture is stored again and again."""

import pytest

from vidmodel_tf.records.one_picture import shows_one_picture


@pytest.mark.parametrize(
    ("frames", "times", "expected"),
    [
        ("aaab", [0, 1, 2, 3], True),
        ("abaa", [0, 1, 2, 3], True),
        ("aabb", [0, 1, 2, 3], False),  # half is not more than half
        ("abcd", [0, 1, 2, 3], False),
        ("aaab", [0, 0, 0, 3], False),  # two frames, the first of them repeated
        ("aaaa", [0, 0, 0, 0], False),  # a clip of a single frame
        ("a", [0], False),
        ("", [], False),
    ],
)
def test_most_frames_are_equal_at_different_times(frames, times, expected):
    assert shows_one_picture([frame.encode() for frame in frames], times) is expected
