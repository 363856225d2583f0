from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from tests.ffmpeg_program import ffmpeg, ffprobe
from tests.videos import paint_frame, read_frame_number, write_timed_video
from vidmodel_tf import workers
from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.cut import Cut
from vidmodel_tf.timelines.cut_clip import cut_clip, cut_ranges
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.pixels import PixelConverter

FILM = [number / 25 for number in range(2000)]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    options = {"g": "50", "bf": "2", "x264-params": "scenecut=0:log-level=none"}
    return write_timed_video(tmp_path_factory.mktemp("film") / "film.mp4", FILM, options=options, size=(64, 48))


def shown(path: Path) -> list[tuple[int, float]]:
    """The number painted into each picture and its time, by PyAV, upright as players show them."""
    converter = PixelConverter()
    with av.open(str(path)) as container:
        return [
            (read_frame_number(converter.to_bgr(picture)), round(picture.time, 3))
            for picture in container.decode(video=0)
        ]


def probe(path: Path) -> dict:
    """What ffprobe says."""
    return json.loads(ffprobe("-show_streams", "-show_format", "-of", "json", path))


def with_sound(path: Path, out: Path, beeps: list[float], sound_from: float = 0.0, codec: str = "aac") -> Path:
    """Adds sound that is silent but for 50 ms of a tone at each of `beeps`, in seconds of the file, by ffmpeg."""
    loud = "+".join(f"between(t,{beep - sound_from},{beep - sound_from + 0.05})" for beep in beeps)
    tone = f"aevalsrc=exprs='0.9*sin(2*PI*1000*t)*({loud})':sample_rate=48000:duration=20"
    inputs = ("-i", path, "-itsoffset", sound_from, "-f", "lavfi", "-i", tone)
    ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", codec, out)
    return out


def beeps_of(path: Path) -> list[float]:
    """When the tone sets in, in seconds from the container's start."""
    with av.open(str(path)) as container:
        zero = container.start_time / av.time_base
        loud = [
            frame.pts * float(frame.time_base) + number / frame.sample_rate - zero
            for frame in container.decode(audio=0)
            for number in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
        ]
    return [round(time, 2) for time, before in zip(loud, [-1.0, *loud], strict=False) if time - before > 0.2]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_exactly_the_pictures_of_the_range(tmp_path, name):
    path = write_timed_video(tmp_path / name, FILM[:500], options={"g": "50", "bf": "2"}, size=(64, 48))
    cut = cut_clip(path, 7.0, 9.0, tmp_path / "cut.mp4")
    assert shown(cut.path) == [(number, round((number - 175) / 25, 3)) for number in range(175, 225)]
    assert (cut.start_seconds, cut.end_seconds, cut.num_frames) == (7.0, 9.0, 50)
    (stream,) = probe(cut.path)["streams"]
    assert (stream["codec_name"], stream["pix_fmt"], stream["nb_frames"]) == ("h264", "yuv420p", "50")
    assert float(stream["duration"]) == pytest.approx(2.0, abs=0.001)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_start_may_lie_between_two_pictures(tmp_path, film):
    cut = cut_clip(film, 7.01, 7.1, tmp_path / "cut.mp4")
    assert shown(cut.path) == [(176, 0.03), (177, 0.07)]
    cut = cut_clip(film, 6.9995, 7.0795, tmp_path / "cut.mp4")  # as events are rounded
    assert [number for number, _ in shown(cut.path)] == [175, 176]


def test_a_late_cut_decodes_no_more_than_an_early_one(tmp_path, film, monkeypatch):
    decoded = []
    original = VideoFile.decode

    def counting(self, *arguments):
        for picture in original(self, *arguments):
            decoded.append(picture.pts)
            yield picture

    monkeypatch.setattr(VideoFile, "decode", counting)
    cut_clip(film, 70.0, 72.0, tmp_path / "cut.mp4")
    assert len(decoded) <= 50 + 50 + 4  # from the key frame before, and what comes out of order


def test_work_before_the_first_picture_of_a_range_is_heard_of(tmp_path, monkeypatch):
    """All is decoded up to the range where no times tell what could be left out."""
    monkeypatch.setattr(workers, "ALIVE_SECONDS", 0.0)
    path = write_timed_video(tmp_path / "raw.h264", FILM[:100], options={"bf": "0"})
    told = []
    cut_ranges(told.append, path, [(tmp_path / "cut.mp4", 3.6, 3.8, False)])
    assert isinstance(told[-1], Cut)
    assert len(told) - 1 > 150  # each packet when it is listed, and again when it is decoded


def test_a_variable_rate_is_kept(tmp_path):
    times = [0.0, 0.1, 1.0, 1.5, 1.52, 4.0, 9.0, 9.1]
    path = write_timed_video(tmp_path / "clip.mp4", times, options={"bf": "2"}, last_seconds=0.5)
    cut = cut_clip(path, 1.0, 5.0, tmp_path / "cut.mp4")
    assert shown(cut.path) == [(2, 0.0), (3, 0.5), (4, 0.52), (5, 3.0)]
    assert float(probe(cut.path)["streams"][0]["duration"]) == pytest.approx(4.0, abs=0.001)


def test_a_still_picture_is_there_from_the_start(tmp_path):
    path = write_timed_video(tmp_path / "slides.mp4", [0.0, 10.0, 20.0, 30.0])
    assert shown(cut_clip(path, 12.0, 25.0, tmp_path / "a.mp4").path) == [(1, 0.0), (2, 8.0)]
    cut = cut_clip(path, 12.0, 14.0, tmp_path / "b.mp4")
    assert shown(cut.path) == [(1, 0.0)]
    assert float(probe(cut.path)["streams"][0]["duration"]) == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize("copy", [False, True])
def test_videos_of_phones_stay_upright(tmp_path, copy):
    upright = [paint_frame(number, (48, 96)) for number in range(20)]
    path = write_timed_video(
        tmp_path / "phone.mp4",
        [number / 10 for number in range(20)],
        frames=(np.rot90(frame, -1) for frame in upright),
        size=(96, 48),
        rotation_degrees=90,
        options={"g": "5", "bf": "0"},
    )
    cut = cut_clip(path, 1.0, 1.5, tmp_path / "cut.mp4", copy=copy)
    assert [number for number, _ in shown(cut.path)] == [10, 11, 12, 13, 14]


def test_pixels_that_are_not_square_and_odd_sizes(tmp_path):
    path = write_timed_video(
        tmp_path / "tv.mkv", [0.0, 0.1, 0.2], size=(63, 47), pixel_format="yuv444p", options={"aspect": "1"}
    )
    ffmpeg("-i", path, "-c", "copy", "-aspect", "16:9", tmp_path / "a.mkv")
    cut = cut_clip(tmp_path / "a.mkv", 0.0, 0.2, tmp_path / "cut.mp4")
    (stream,) = probe(cut.path)["streams"]
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (64, 48, "yuv420p")
    left, right = map(int, stream["display_aspect_ratio"].split(":"))
    assert left / right == pytest.approx(16 / 9, rel=0.02)
    assert [number for number, _ in shown(cut.path)] == [0, 1]


def test_colors_are_those_of_the_video(tmp_path):
    color = (200, 60, 90)
    frames = [np.full((48, 64, 3), color, np.uint8)] * 5
    path = write_timed_video(tmp_path / "a.mp4", [n / 10 for n in range(5)], frames=frames, size=(64, 48))
    cut = cut_clip(path, 0.0, 0.5, tmp_path / "cut.mp4")
    with VideoFile(path) as before, VideoFile(cut.path) as after:
        for one, other in zip(before, after, strict=True):
            assert np.abs(one.pixels.astype(int) - other.pixels).mean() < 4
    assert probe(cut.path)["streams"][0]["color_space"] == "bt709"


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.ts", "mp2")])
def test_sound_stays_with_the_picture(tmp_path, film, name, codec, copy):
    path = with_sound(film, tmp_path / name, [10.5, 12.0, 13.5], codec=codec)
    cut = cut_clip(path, 10.0, 13.0, tmp_path / ("cut.mkv" if copy else "cut.mp4"), copy=copy)
    streams = probe(cut.path)["streams"]
    assert [stream["codec_type"] for stream in streams] == ["video", "audio"]
    offset = 10.0 - cut.start_seconds
    assert offset == 0.0 if not copy else -0.04 < offset < 2.1  # a key frame may come just after
    assert beeps_of(cut.path) == pytest.approx([offset + 0.5, offset + 2.0], abs=0.04)
    if not copy:
        assert streams[1]["codec_name"] == "aac"
        assert float(streams[1]["duration"]) == pytest.approx(3.0, abs=0.05)


def test_sound_that_begins_late_is_silent_before(tmp_path, film):
    path = with_sound(film, tmp_path / "late.mkv", [12.0], sound_from=11.0)
    cut = cut_clip(path, 10.0, 13.0, tmp_path / "cut.mp4")
    assert beeps_of(cut.path) == pytest.approx([2.0], abs=0.04)


def test_second_0_is_that_of_players(tmp_path):
    """The first picture of an MPEG stream seldom has the time 0."""
    path = write_timed_video(tmp_path / "a.ts", [3600 + number / 25 for number in range(100)], options={"g": "25"})
    cut = cut_clip(path, 1.0, 2.0, tmp_path / "cut.mp4")
    assert [number for number, _ in shown(cut.path)] == list(range(25, 50))


def test_a_copy_begins_at_the_key_frame_before_and_says_so(tmp_path, film):
    cut = cut_clip(film, 7.0, 9.0, tmp_path / "cut.mp4", copy=True)
    pictures = shown(cut.path)
    assert (cut.start_seconds, cut.num_frames) == (6.0, len(pictures))
    assert pictures[:75] == [(150 + number, round(number / 25, 3)) for number in range(75)]
    assert cut.end_seconds == pytest.approx(6.0 + len(pictures) / 25)


def test_a_copy_is_the_same_picture_bit_by_bit(tmp_path, film):
    cut = cut_clip(film, 6.0, 7.0, tmp_path / "cut.mp4", copy=True)
    with av.open(str(film)) as whole, av.open(str(cut.path)) as part:
        pictures = [picture.to_ndarray() for picture in whole.decode(video=0)][150:175]
        copied = [picture.to_ndarray() for picture in part.decode(video=0)]
    assert len(copied) >= 25
    assert all(np.array_equal(one, other) for one, other in zip(pictures, copied, strict=False))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (2.0, 2.0, "expected 0 <= start < end, in seconds. Received: 2 to 2"),
        (-1.0, 2.0, "Received: -1 to 2"),
        (1.0, float("inf"), "Received: 1 to inf"),
        (90.0, 95.0, "expected a range within the 0.000 to 80.000 seconds .* Received: 90 to 95 seconds"),
    ],
)
def test_ranges_that_are_none(tmp_path, film, start, end, message):
    with pytest.raises(InputError, match=message):
        cut_clip(film, start, end, tmp_path / "cut.mp4")
    assert not list(tmp_path.iterdir())


def test_names_that_cannot_be_written(tmp_path, film):
    with pytest.raises(InputError, match=r"expected a name whose ending is a container .* Received: 'cut.nonsense'"):
        cut_clip(film, 1.0, 2.0, tmp_path / "cut.nonsense")
    with pytest.raises(InputError, match=r"expected another file .* Received: the video itself"):
        cut_clip(film, 1.0, 2.0, film)
    assert not list(tmp_path.iterdir())


def test_a_copy_into_a_container_that_cannot_hold_it(tmp_path, film):
    with pytest.raises(InputError, match=r"Received: 'cut\.webm'"):
        cut_clip(film, 1.0, 2.0, tmp_path / "cut.webm", copy=True)
    assert not list(tmp_path.iterdir())


def test_a_video_without_times(tmp_path):
    path = write_timed_video(tmp_path / "raw.h264", FILM[:100], options={"bf": "0"})
    with pytest.raises(InputError, match="expected a video that says when each picture is displayed"):
        cut_clip(path, 1.0, 2.0, tmp_path / "copy.mp4", copy=True)
    with VideoFile(path) as video:
        rate = 1 / video.frame_seconds
    cut = cut_clip(path, 1.0, 2.0, tmp_path / "cut.mp4")
    assert [number for number, _ in shown(cut.path)] == list(range(round(rate), round(2 * rate)))
