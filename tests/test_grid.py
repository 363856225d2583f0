"""Pictures at a list of times, by the numbers painted into them, against the ranges that clips are read from."""

from __future__ import annotations

import numpy as np
import pytest

from tests.videos import frame_numbers, read_frame_number, write_timed_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.scoring.windows import plan_windows
from vidmodel_tf.video import grid
from vidmodel_tf.video.file import VideoFile

CONSTANT = [i / 30 for i in range(240)]
VARIABLE = np.cumsum(np.random.default_rng(0).choice([0.02, 0.033, 0.07, 0.2], 200)).tolist()


def numbers_at(path, times, first=0):
    with VideoFile(path) as video:
        return [
            (step, read_frame_number(picture.to_ndarray(format="rgb24")))
            for step, picture in grid.pictures_at(video, np.asarray(times), first)
        ]


@pytest.mark.parametrize("times", [CONSTANT, VARIABLE], ids=["constant", "variable"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_they_are_those_of_ranges(tmp_path, name, times):
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = write_timed_video(tmp_path / name, times, codec=codec, options={"g": "40"})
    plan = plan_windows(8, 16, 1.9)
    found = dict(numbers_at(path, plan.frame_times(0, plan.count_steps(times[-1]))))
    for first in range(0, len(found) - 8, 5):
        start = first * plan.step_seconds
        request = ClipRequest(path, 16, 48, 95, start, start + 1.9, slots=tuple(range(0, 16, 2)))
        assert [found[first + i] for i in range(8)] == frame_numbers(read_clip(request).jpeg_frames)


def test_a_late_start_decodes_from_the_key_frame_before(tmp_path, monkeypatch):
    path = write_timed_video(tmp_path / "a.mp4", CONSTANT, options={"g": "30", "keyint_min": "30"})
    times, decoded = np.arange(0, 8, 0.25) + 0.01, []
    whole = numbers_at(path, times)
    original = VideoFile.decode

    def counted(self, *arguments):
        for picture in original(self, *arguments):
            decoded.append(picture.pts)
            yield picture

    monkeypatch.setattr(VideoFile, "decode", counted)
    assert numbers_at(path, times, 28) == whole[28:]
    assert len(decoded) < 70  # two groups of pictures and what is held back, of 240


def test_the_one_before_stands_for_a_picture_that_is_lost(tmp_path, monkeypatch):
    path = write_timed_video(tmp_path / "a.mp4", CONSTANT)
    original = VideoFile.decode
    monkeypatch.setattr(VideoFile, "decode", lambda *a: (p for i, p in enumerate(original(*a)) if i not in (0, 30, 31)))
    times = [0.01, 29 / 30 + 0.01, 1.01, 31 / 30 + 0.01, 32 / 30 + 0.01]
    assert [number for _, number in numbers_at(path, times)] == [1, 29, 29, 29, 32]


def test_times_after_the_end_show_the_last_picture(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", CONSTANT[:30])
    assert numbers_at(path, [0.5, 2.0, 3.0]) == [(0, 15), (1, 29), (2, 29)]
