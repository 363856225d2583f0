"""Frames of a long video out of a process of its own: the same JPEGs as clips have, and faults in one line."""

from __future__ import annotations

import dataclasses
import os
import signal

import pytest

from tests.videos import write_timed_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.windows import plan_windows
from vidmodel_tf.timelines.read_steps import StepReader
from vidmodel_tf.timelines.worker_process import WorkerProcess

PREPARE = PrepareConfig(short_side=48)
PLAN = plan_windows(8, 16, 1.6)
TIMES = [i / 25 for i in range(200)]


def test_jpegs_are_those_of_clips(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", TIMES, rotation_degrees=90)
    with StepReader(path, PLAN, PREPARE) as reader:
        assert reader.video.duration_seconds == pytest.approx(8.0)
        assert reader.video.num_frames == 200
        frames = list(reader)
    assert [frame.step for frame in frames] == list(range(40))
    assert (frames[0].width, frames[0].height) == (72, 96)  # upright
    clip = read_clip(ClipRequest(path, 16, 48, 95, 12 * 0.2, 20 * 0.2, slots=tuple(range(0, 16, 2))))
    assert tuple(frame.jpeg for frame in frames[12:20]) == clip.jpeg_frames


def test_reading_begins_at_a_step(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", TIMES)
    with StepReader(path, PLAN, PREPARE) as reader:
        whole = list(reader)
    with StepReader(path, PLAN, PREPARE, first_step=25) as reader:
        assert list(reader) == whole[25:]


def test_what_is_no_video_is_refused_by_name(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    with pytest.raises(InputError, match=r"a.mp4: expected a video. It is a text file"):
        StepReader(path, PLAN, PREPARE)


def test_a_crash_of_the_decoder_is_told(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", [i / 25 for i in range(2500)], options={"preset": "ultrafast"})
    with StepReader(path, PLAN, PREPARE) as reader:
        os.kill(reader._worker._process.pid, signal.SIGKILL)
        with pytest.raises(InputError, match=r"a.mp4: the decoder crashed on it \(signal SIGKILL, out of memory\?\)"):
            list(reader)


def test_whatever_goes_wrong_on_the_way_is_raised(tmp_path, monkeypatch):
    def fail(worker):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WorkerProcess, "receive", fail)
    with pytest.raises(OSError, match="No space left on device"):
        StepReader(write_timed_video(tmp_path / "a.mp4", TIMES[:5]), PLAN, PREPARE)


@pytest.mark.slow
def test_a_decoder_that_hangs_is_told_and_ended(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", [i / 25 for i in range(2500)], options={"preset": "ultrafast"})
    with StepReader(path, PLAN, dataclasses.replace(PREPARE, timeout_seconds=10.0)) as reader:
        reader._worker._timeout_seconds = 0.5
        os.kill(reader._worker._process.pid, signal.SIGSTOP)
        with pytest.raises(InputError, match=r"a.mp4: was silent for 0.5 seconds"):
            list(reader)
    assert reader._worker._process.exitcode is not None


def test_damage_before_a_kill_counts_too(tmp_path):
    path = write_timed_video(tmp_path / "a.mp4", TIMES)
    with StepReader(path, PLAN, PREPARE, first_step=30, num_refused=10) as reader:
        list(reader)
    assert reader.warnings == ("5% of its frames could not be decoded: it is damaged",)
    with (
        StepReader(path, PLAN, PREPARE, first_step=30, num_refused=101) as reader,
        pytest.raises(InputError, match="101 of its 200 frames cannot be decoded"),
    ):
        list(reader)
