"""Cuts between pictures that are plainly different, and none where a picture only moves."""

from __future__ import annotations

import numpy as np
import pytest

from vidmodel_tf.scoring.shots import CutDetector


def scene(seed, num_frames):
    """A blurred random picture that drifts by one pixel a frame."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
    picture = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    return np.stack([np.roll(picture, shift, axis=1) for shift in range(num_frames)])


def found_in(frames, chunk):
    detector, cuts = CutDetector(), []
    for first in range(0, len(frames), chunk):
        cuts += detector.push(frames[first : first + chunk])
        assert detector.num_settled <= first + chunk
    return cuts + detector.finish()


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_cuts_are_found_where_the_picture_changes(chunk):
    frames = np.concatenate([scene(0, 20), scene(1, 7), scene(2, 30)])
    assert found_in(frames, chunk) == [20, 27]


def test_motion_is_no_cut():
    assert found_in(scene(3, 60), 16) == []


def test_pictures_that_differ_all_the_time_have_no_cuts():
    noise = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    assert found_in(noise, 16) == []


def test_a_cut_between_the_last_frames_is_found_at_the_end():
    assert found_in(np.concatenate([scene(0, 20), scene(1, 2)]), 22) == [20]


def test_a_detector_goes_on_from_its_state():
    frames = np.concatenate([scene(0, 20), scene(1, 17)])
    first, second = CutDetector(), CutDetector()
    cuts = first.push(frames[:21])
    second.restore(first.state())
    assert cuts + second.push(frames[21:]) + second.finish() == [20]
