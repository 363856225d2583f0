from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ffmpeg_program import ffmpeg
from tests.test_cut_clip import beeps_of, with_sound
from tests.videos import write_timed_video
from vidmodel_tf.timelines.cut_clip import cut_clip
from vidmodel_tf.timelines.sound_between import SoundBetween

FILM = [number / 25 for number in range(125)]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_timed_video(tmp_path_factory.mktemp("film") / "film.mp4", FILM, options={"g": "25"}, size=(64, 48))


def samples(path: Path, start: float, end: float) -> tuple[np.ndarray, set[tuple[int, str]], list[int]]:
    """The first channel, the kinds of frames, and their times in samples."""
    with SoundBetween(path, start, end) as sound:
        frames = list(sound.frames())
    kinds = {(frame.sample_rate, frame.layout.name) for frame in frames}
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), kinds, [frame.pts for frame in frames]


def test_samples_are_those_of_the_range_one_after_the_other(tmp_path, film):
    path = with_sound(film, tmp_path / "a.mkv", [2.5], codec="pcm_s16le")
    heard, kinds, times = samples(path, 2.0, 3.0)
    assert len(heard) == pytest.approx(48_000, abs=48)  # Matroska rounds to a millisecond
    assert kinds == {(48_000, "mono")}
    assert times == list(range(0, len(heard), 1024))
    loud = np.flatnonzero(np.abs(heard) > 0.3)
    assert (loud[0] / 48_000, loud[-1] / 48_000) == pytest.approx((0.5, 0.55), abs=0.002)


def test_rates_and_layouts_that_aac_lacks_become_others(tmp_path, film):
    path = with_sound(film, tmp_path / "a.mkv", [2.5], codec="pcm_s16le")
    ffmpeg("-i", path, "-c:v", "copy", "-c:a", "flac", "-ar", "96000", "-ac", "4", tmp_path / "b.mkv")
    heard, kinds, _ = samples(tmp_path / "b.mkv", 2.0, 3.0)
    assert kinds == {(48_000, "stereo")}
    assert len(heard) == pytest.approx(48_000, abs=100)
    assert np.flatnonzero(np.abs(heard) > 0.1)[0] / 48_000 == pytest.approx(0.5, abs=0.002)


def test_sound_that_changes_its_kind(tmp_path, film):
    path = with_sound(film, tmp_path / "a.mkv", [1.5, 3.5], codec="pcm_s16le")
    kinds = (("0", "2", "48000"), ("2.5", "1", "44100"))
    for number, (start, channels, rate) in enumerate(kinds):
        part = ("-ss", start, "-t", "2.5", "-i", path, "-c:a", "mp2", "-ac", channels, "-ar", rate)
        ffmpeg(*part, "-output_ts_offset", start, "-muxdelay", "0", tmp_path / f"{number}.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in range(2)))
    cut = cut_clip(joined, 1.0, 4.0, tmp_path / "cut.mp4")
    assert beeps_of(cut.path) == pytest.approx([0.5, 2.5], abs=0.06)


def test_a_video_without_sound_has_none(film):
    with SoundBetween(film, 0.0, 1.0) as sound:
        assert list(sound.frames()) == list(sound.packets()) == []


def test_damaged_sound_becomes_silence(tmp_path, film):
    path = with_sound(film, tmp_path / "a.ts", [1.0, 4.0], codec="mp2")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 6] = bytes(len(content) // 6)
    path.write_bytes(content)
    cut = cut_clip(path, 0.5, 4.9, tmp_path / "cut.mp4")
    assert beeps_of(cut.path) == pytest.approx([0.5, 3.5], abs=0.06)
