"""Frames of a clip, against the numbers painted into them and the times at which they were written."""

from __future__ import annotations

import math
import os
import struct
import sys
from bisect import bisect_right
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.real_data import FIGHTS, needs
from tests.videos import frame_numbers, paint_frame, read_frame_number, read_jpeg, write_timed_video, write_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.video.decoder import decoder_version
from vidmodel_tf.video.opencv import import_opencv
from vidmodel_tf.video.sampling import slots_for_inference

CONSTANT = [i / 25 for i in range(40)]
VARIABLE = [0.0, *np.cumsum(np.random.default_rng(0).uniform(0.02, 0.2, 39)).round(2).tolist()]
B_FRAMES = {"bf": "3", "x264-params": "b-adapt=0:bframes=3:log-level=none"}


def decode(path, num_frames=8, short_side=256, jpeg_quality=95, **arguments):
    return read_clip(ClipRequest(path, num_frames, short_side, jpeg_quality, **arguments))


def closed_formula(num_frames_of_clip: int, num_frames: int) -> list[int]:
    return [(2 * n + 1) * num_frames_of_clip // (2 * num_frames) for n in range(num_frames)]


def on_display(times: list[float], start: float, end: float, num_frames: int) -> list[int]:
    return [bisect_right(times, start + (n + 0.5) * (end - start) / num_frames) - 1 for n in range(num_frames)]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm", ".mkv", ".mov"])
@pytest.mark.parametrize(("num_written", "num_frames"), [(40, 8), (64, 32), (63, 32), (5, 8)])
def test_constant_rate_takes_one_pass(tmp_path, suffix, num_written, num_frames):
    path = write_video(tmp_path / f"clip{suffix}", num_frames=num_written, fps=30)
    clip = decode(path, num_frames)
    expected = closed_formula(num_written, num_frames)
    assert frame_numbers(clip.jpeg_frames) == expected
    assert (clip.width, clip.height) == (96, 72)
    assert clip.fps == pytest.approx(30, rel=5e-3)  # Matroska rounds to 1 ms, of a video of 0.27 s
    assert clip.duration_seconds == pytest.approx(num_written / 30, abs=2e-3)
    np.testing.assert_allclose(clip.timestamps_seconds, np.array(expected) / 30, atol=1e-3)


CONSTANT_FILES = {
    "h264.mp4": {"options": B_FRAMES},
    "fragments.mp4": {"options": B_FRAMES, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "prores.mov": {"codec": "prores", "pixel_format": "yuv422p10le"},
    "deep.mov": {"codec": "png", "pixel_format": "rgb48be"},
    "alpha.mov": {"codec": "png", "pixel_format": "rgba"},
    "grey.mkv": {"codec": "ffv1", "pixel_format": "gray"},
    "grey16.mkv": {"codec": "ffv1", "pixel_format": "gray16le"},
    "odd.mkv": {"codec": "ffv1", "pixel_format": "yuv444p", "size": (33, 17)},
    "tiny.mkv": {"codec": "ffv1", "pixel_format": "yuv444p", "size": (16, 16)},
    "image.gif": {"codec": "gif", "pixel_format": "rgb8", "time_base": Fraction(1, 100)},
    # the last frames of these carry no timestamp, those of a bare stream never do
    "b_frames.avi": {"codec": "mpeg4", "time_base": Fraction(1, 25), "options": {"bf": "2"}},
    "program.mpg": {"codec": "mpeg2video", "time_base": Fraction(1, 25), "options": {"bf": "2"}},
    "bare.h264": {"options": {"bf": "2"}},
}


@pytest.mark.parametrize("name", CONSTANT_FILES)
def test_formats_of_constant_rate(tmp_path, name):
    clip = decode(write_timed_video(tmp_path / name, CONSTANT, **CONSTANT_FILES[name]))
    assert frame_numbers(clip.jpeg_frames) == closed_formula(40, 8)
    assert clip.fps == pytest.approx(25, rel=1e-3)
    assert clip.duration_seconds == pytest.approx(1.6, rel=1e-3)
    assert (clip.width, clip.height) == CONSTANT_FILES[name].get("size", (96, 72))


VARIABLE_FILES = {
    "h264.mp4": {"options": B_FRAMES},
    "h264.mkv": {"options": B_FRAMES},
    "h264.ts": {"options": B_FRAMES},
    "h264.flv": {},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "image.gif": {"codec": "gif", "pixel_format": "rgb8", "time_base": Fraction(1, 100)},
}


@pytest.mark.parametrize("name", VARIABLE_FILES)
@pytest.mark.parametrize("first_seconds", [0.0, 5.0])
def test_variable_rates_go_by_the_timestamps(tmp_path, name, first_seconds):
    path = write_timed_video(tmp_path / name, [first_seconds + time for time in VARIABLE], **VARIABLE_FILES[name])
    clip = decode(path, 16)
    duration = VARIABLE[-1] * 40 / 39
    expected = on_display(VARIABLE, 0.0, duration, 16)
    assert frame_numbers(clip.jpeg_frames) == expected
    assert expected != closed_formula(40, 16)
    # FLV and Matroska have ticks of 1 ms
    np.testing.assert_allclose(clip.timestamps_seconds, np.array(VARIABLE)[expected], atol=1e-3)
    assert clip.duration_seconds == pytest.approx(duration, abs=1e-3)
    assert clip.fps == pytest.approx(39 / VARIABLE[-1], rel=1e-3)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(7), Fraction(50)])
def test_odd_time_bases(tmp_path, rate):
    times = [float(i / rate) for i in range(40)]
    clip = decode(write_timed_video(tmp_path / "clip.mp4", times, time_base=1 / rate), 20)
    assert frame_numbers(clip.jpeg_frames) == closed_formula(40, 20)
    assert clip.fps == pytest.approx(float(rate), rel=1e-6)


@pytest.mark.parametrize(
    ("start", "end", "num_frames", "expected"),
    [
        (0.4, 0.8, 10, list(range(10, 20))),
        (0.4, 0.8, 5, [11, 13, 15, 17, 19]),
        (None, 0.4, 10, list(range(10))),
        (1.2, None, 10, list(range(30, 40))),
        (1.2, 99.0, 10, list(range(30, 40))),
        (0.41, 0.43, 3, [10, 10, 10]),
        (1.59, 1.6, 2, [39, 39]),
    ],
)
def test_ranges(tmp_path, start, end, num_frames, expected):
    clip = decode(write_video(tmp_path / "clip.mp4"), num_frames, start_seconds=start, end_seconds=end)
    assert frame_numbers(clip.jpeg_frames) == expected
    assert clip.duration_seconds == pytest.approx(min(end or 1.6, 1.6) - (start or 0.0))
    assert clip.fps == pytest.approx(25)


@pytest.mark.parametrize("name", ["clip.mp4", "variable.mp4"])
def test_wanted_slots_are_those_of_the_whole_clip(tmp_path, name):
    times = CONSTANT if name == "clip.mp4" else VARIABLE
    path = write_timed_video(tmp_path / name, times, options=B_FRAMES)
    for arguments in ({}, {"start_seconds": 0.3, "end_seconds": 1.1}):
        everything = decode(path, 32, **arguments)
        slots = tuple(slots_for_inference(32, 8).tolist())
        wanted = decode(path, 32, slots=slots, **arguments)
        assert wanted.jpeg_frames == tuple(everything.jpeg_frames[slot] for slot in slots)
        assert wanted.timestamps_seconds == tuple(everything.timestamps_seconds[slot] for slot in slots)
        assert (wanted.duration_seconds, wanted.fps) == (everything.duration_seconds, everything.fps)


def test_ranges_of_a_variable_rate_begin_with_the_frame_on_display(tmp_path):
    path = write_timed_video(tmp_path / "clip.mp4", [0.0, 0.5, 2.0, 2.1, 3.0])
    clip = decode(path, 4, start_seconds=1.0, end_seconds=2.2)
    assert frame_numbers(clip.jpeg_frames) == [1, 1, 1, 2]
    assert clip.timestamps_seconds == pytest.approx((0.5, 0.5, 0.5, 2.0))


def test_a_start_beyond_the_end_names_the_duration(tmp_path):
    path = write_video(tmp_path / "clip.mp4")
    with pytest.raises(InputError, match=r"clip\.mp4: start_seconds: expected less than the 1\.600 .*Received: 1\.6"):
        decode(path, start_seconds=1.6)


def test_one_frame_is_repeated(tmp_path):
    clip = decode(write_timed_video(tmp_path / "one.mp4", [0.0]), 3)
    assert len(clip.jpeg_frames) == 3
    assert len(set(clip.jpeg_frames)) == 1
    assert clip.timestamps_seconds == (0.0, 0.0, 0.0)
    assert clip.duration_seconds == pytest.approx(1 / clip.fps)
    assert 0 < clip.duration_seconds <= 1


def right_on_screen(path: Path) -> tuple[float, float]:
    """Where the track's matrix (ISO 14496-12, 8.3.2) sends the picture's right: (x, y), y down."""
    data = path.read_bytes()
    start = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes stand before the matrix
    a, b = struct.unpack(">2i", data[start : start + 8])
    return a / 65536, b / 65536


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_metadata_is_obeyed(tmp_path, degrees):
    upright = [paint_frame(number, (72, 96)) for number in range(40)]
    stored = [np.rot90(frame, -degrees // 90) for frame in upright]  # what is left to do is counter-clockwise
    size = (72, 96) if degrees % 180 == 0 else (96, 72)
    path = write_timed_video(tmp_path / "clip.mp4", CONSTANT, frames=stored, size=size, rotation_degrees=degrees)
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).rotation % 360 == degrees
    angle = math.radians(degrees)
    assert right_on_screen(path) == pytest.approx((math.cos(angle), -math.sin(angle)), abs=1e-4)

    clip = decode(path)
    assert frame_numbers(clip.jpeg_frames) == closed_formula(40, 8)
    assert (clip.width, clip.height) == (72, 96)
    assert read_jpeg(clip.jpeg_frames[0]).shape == (96, 72, 3)


@pytest.mark.parametrize(
    ("size", "expected"), [((384, 288), (64, 48)), ((288, 384), (48, 64)), ((96, 72), (64, 48)), ((32, 24), (32, 24))]
)
def test_large_frames_are_reduced_and_small_ones_left(tmp_path, size, expected):
    clip = decode(write_video(tmp_path / "clip.avi", size=size), short_side=48)
    assert {read_jpeg(jpeg).shape for jpeg in clip.jpeg_frames} == {(expected[1], expected[0], 3)}
    assert (clip.width, clip.height) == size
    assert frame_numbers(clip.jpeg_frames) == closed_formula(40, 8)


def test_reduction_is_the_mean_over_the_area(tmp_path):
    # One white column in four: a filter that looks at the middle of the four alone sees none of it.
    columns = np.zeros((64, 64, 3), np.uint8)
    columns[:, ::4] = 255
    path = write_timed_video(
        tmp_path / "clip.mov", [0.0, 0.1], codec="png", pixel_format="rgb24", size=(64, 64), frames=[columns] * 2
    )
    pixels = read_jpeg(decode(path, 1, short_side=16, jpeg_quality=100).jpeg_frames[0])
    np.testing.assert_allclose(pixels.astype(float), 255 / 4, atol=2)  # JPEG at quality 100 rounds


def test_jpeg_quality(tmp_path):
    path = write_video(tmp_path / "clip.avi")
    sizes = [sum(map(len, decode(path, jpeg_quality=quality).jpeg_frames)) for quality in (20, 60, 100)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("color", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 128, 0)])
def test_colours_are_those_of_the_video(tmp_path, color):
    frames = [np.full((72, 96, 3), color, np.uint8)] * 4
    path = write_timed_video(tmp_path / "clip.mov", CONSTANT[:4], codec="png", pixel_format="rgb24", frames=frames)
    pixels = read_jpeg(decode(path, 1).jpeg_frames[0])
    np.testing.assert_allclose(pixels.reshape(-1, 3).mean(0), color, atol=3)  # JPEG stores YCbCr in whole numbers


@pytest.mark.parametrize("name", ["a:b.mp4", "frame %03d.mp4", "видео 視頻.mp4"])
def test_any_file_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "clip.mp4").rename(tmp_path / name)
    assert frame_numbers(decode(name).jpeg_frames) == closed_formula(40, 8)


def make_empty(path):
    path.write_bytes(b"")


def make_text(path):
    path.write_text("no video")


def make_audio(path):
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))


def make_without_index(path):
    write_video(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def make_header_only(path):
    write_timed_video(path, CONSTANT, container_options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 8])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "There is no such file"),
        (Path.mkdir, "It is a folder"),
        (os.mkfifo, "It is not a regular file"),
        (make_empty, "The file is empty"),
        (make_text, "It is a text file"),
        (make_audio, "It is only sound .WAV."),
        (make_without_index, "FFmpeg finds no video stream .* cut off before its index"),
        (make_header_only, "no frame of this video can be decoded .codec (h264|avc1)"),
    ],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, make, message):
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(InputError, match=rf"{tmp_path}/clip\.mp4: .*{message}") as raised:
        decode(path)
    assert "\n" not in str(raised.value)


def write_cut(path: Path, share: float) -> Path:
    if path.suffix == ".mp4":
        write_timed_video(path, CONSTANT, options={"g": "5"}, container_options={"movflags": "faststart"})
    else:
        write_video(path)
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * share)])
    return path


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4", "clip.mkv"])
def test_less_than_half_a_video_is_refused(tmp_path, name):
    # What is left of H.264 depends on the encoder's look-ahead: few frames, or none.
    too_few = r"only \d+ of the 40 frames that the file claims .* cut off or damaged"
    with pytest.raises(InputError, match=rf"{too_few}|no frame of this video can be decoded"):
        decode(write_cut(tmp_path / name, 0.4))


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4", "clip.mkv"])
def test_more_than_half_a_video_is_what_there_is(tmp_path, name):
    clip = decode(write_cut(tmp_path / name, 0.85), 20)
    numbers = frame_numbers(clip.jpeg_frames)
    num_read = round(clip.duration_seconds * 25)
    assert 20 < num_read < 40
    assert numbers == closed_formula(num_read, 20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_frames": 0}, "num_frames: expected 1 or more. Received: 0"),
        ({"slots": (0, 8)}, "slots: expected increasing numbers from 0 to 7. Received: .0, 8."),
        ({"slots": (3, 1)}, "slots: expected increasing numbers from 0 to 7. Received: .3, 1."),
        ({"slots": ()}, "slots: expected increasing numbers from 0 to 7. Received: .."),
        ({"short_side": 0}, "short_side: expected 1 pixel or more. Received: 0"),
        ({"jpeg_quality": 101}, "jpeg_quality: expected 1 to 100. Received: 101"),
        ({"start_seconds": -1.0}, "start_seconds: expected 0 or more. Received: -1.0"),
        ({"start_seconds": math.nan}, "start_seconds: expected 0 or more. Received: nan"),
        ({"start_seconds": 2.0, "end_seconds": 2.0}, "end_seconds: expected more than start_seconds=2.0. Received: 2"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        decode(tmp_path / "clip.mp4", **arguments)


def test_decoder_version():
    version = decoder_version()
    assert (version["name"], version["version"]) == ("pyav", av.__version__)
    assert {"avcodec", "avformat", "swscale"} <= version.keys()


def test_an_opencv_that_cannot_be_loaded_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open\\nshared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cv2")
    with pytest.raises(VidmodelError, match=r"libGL\.so\.1: cannot open shared .*opencv-python-headless") as raised:
        import_opencv()
    assert "\n" not in str(raised.value)


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    return cv2.resize(rgb, (64, 48), interpolation=cv2.INTER_AREA).astype(np.float32)


@needs(FIGHTS)
@pytest.mark.parametrize("index", range(0, 240, 20))
def test_real_clips_have_the_frames_that_pyav_finds(index):
    path = sorted(FIGHTS.parent.rglob("*.mp4"))[index]
    with av.open(str(path)) as container:
        thumbnails = np.stack([thumbnail(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)])
    clip = decode(path, 32)
    for jpeg, expected in zip(clip.jpeg_frames, closed_formula(len(thumbnails), 32), strict=True):
        distances = np.abs(thumbnails - thumbnail(read_jpeg(jpeg))).mean(axis=(1, 2, 3))
        # Cameras repeat frames; 0.05 grey levels is less than what coding adds to a frame that is not a repeat.
        assert distances[expected] <= distances.min() + 0.05


@pytest.mark.parametrize("number", [0, 1, 2748, 4095])
@pytest.mark.parametrize("size", [(16, 16), (33, 17), (320, 240)])
def test_painted_numbers_can_be_read(number, size):
    assert read_frame_number(paint_frame(number, size)) == number
    assert read_frame_number(np.rot90(paint_frame(2748, size))) != 2748
