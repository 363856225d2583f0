"""Files as cameras, recorders and bad cables leave them, against the numbers painted into their frames."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.videos import frame_numbers, paint_frame, read_frame_number, write_timed_video
from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.clips.read_file import read_file
from vidmodel_tf.errors import InputError
from vidmodel_tf.video import packets
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.sampling import sample_times
from vidmodel_tf.video.source import open_source

CONSTANT = [i / 25 for i in range(100)]
EIGHT = [(2 * n + 1) * 100 // 16 for n in range(8)]


def decode(path, num_frames=8, **arguments):
    return read_clip(ClipRequest(path, num_frames, 256, 95, **arguments))


def write_with_sound(
    path: Path, video_times: list[float], sound_seconds: float, *, video_jump: tuple[int, float] = (0, 0.0)
) -> Path:
    """Video beside a tone that begins at second 0; from a frame on, the video's clock may jump."""
    clock = Fraction(1, 90_000)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "0", "g": "10"})
        video.width, video.height, video.pix_fmt = 96, 72, "yuv420p"
        video.codec_context.time_base = clock
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        packets = []
        for number, seconds in enumerate(video_times):
            frame = av.VideoFrame.from_ndarray(paint_frame(number), format="rgb24")
            frame.pts, frame.time_base = round(seconds / clock), clock
            packets += video.encode(frame)
        packets += video.encode(None)
        jump_pts = round(video_times[video_jump[0]] / clock)
        ordered = [(float(packet.dts * clock), packet) for packet in packets]
        for packet in packets:
            if video_jump[1] and packet.pts >= jump_pts:
                packet.pts = packet.dts = packet.pts + round(video_jump[1] / clock)
        for index in range(round(sound_seconds * 48_000 / 1024)):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.pts, frame.sample_rate, frame.time_base = index * 1024, 48_000, Fraction(1, 48_000)
            ordered += [(float(packet.dts * packet.time_base), packet) for packet in sound.encode(frame)]
        for _, packet in sorted(ordered, key=lambda item: item[0]):
            container.mux_one(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("mbaff.mp4", "libx264", {"flags": "+ildct+ilme", "x264-params": "tff=1:log-level=none"}),
        ("mpeg2.ts", "mpeg2video", {"flags": "+ildct+ilme", "bf": "2"}),
        ("mpeg2.mpg", "mpeg2video", {"flags": "+ildct+ilme"}),
        ("mpeg4.avi", "mpeg4", {"flags": "+ildct+ilme"}),
    ],
)
def test_interlaced_video_gives_its_own_frames(tmp_path, name, codec, options):
    path = write_timed_video(
        tmp_path / name, CONSTANT, codec=codec, options=options, time_base=Fraction(1, 25), size=(96, 96)
    )
    clip = decode(path)
    assert frame_numbers(clip.jpeg_frames) == EIGHT
    assert clip.warnings == ()


def test_progressive_video_that_turns_interlaced_gives_both(tmp_path):
    kinds = ({}, {"flags": "+ildct+ilme"})
    parts = []
    for first, options in zip((0, 50), kinds, strict=True):
        frames = [paint_frame(number) for number in range(first, first + 50)]
        part = tmp_path / f"{first}.m2v"
        write_timed_video(
            part, CONSTANT[:50], codec="mpeg2video", options=options, frames=frames, time_base=Fraction(1, 25)
        )
        parts.append(part.read_bytes())
    (tmp_path / "mixed.m2v").write_bytes(b"".join(parts))
    assert frame_numbers(decode(tmp_path / "mixed.m2v").jpeg_frames) == EIGHT


def damage_packet(path: Path, number: int) -> None:
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        position = [packet.pos for packet in container.demux(video=0) if packet.size][number]
    data[position : position + 4] = b"\x7f\xff\xff\xff"  # the length of what follows
    path.write_bytes(data)


def test_one_damaged_packet_costs_one_frame(tmp_path):
    path = write_timed_video(tmp_path / "clip.mp4", [i / 25 for i in range(400)], options={"g": "10", "bf": "0"})
    damage_packet(path, 165)
    clip = decode(path)
    assert frame_numbers(clip.jpeg_frames) == [(2 * n + 1) * 400 // 16 for n in range(8)]
    assert clip.duration_seconds == pytest.approx(16.0)
    assert clip.warnings == ()  # a quarter of a hundredth


def test_what_is_missing_is_told_from_a_hundredth_on(tmp_path):
    path = write_timed_video(tmp_path / "clip.mp4", CONSTANT, options={"g": "1"})
    for number in (15, 33, 62):
        damage_packet(path, number)
    clip = decode(path, 100)
    assert clip.warnings == ("3% of its frames are missing or could not be decoded: it is cut off or damaged",)
    # The picture before a damaged one is displayed on.
    expected = [number - (number in (15, 33, 62)) for number in range(100)]
    assert frame_numbers(clip.jpeg_frames) == expected


def test_a_cut_file_says_how_much_is_missing(tmp_path):
    path = write_timed_video(
        tmp_path / "clip.mp4", CONSTANT, options={"g": "5", "bf": "0"}, container_options={"movflags": "faststart"}
    )
    path.write_bytes(path.read_bytes()[: round(path.stat().st_size * 0.75)])
    clip = decode(path)
    (warning,) = clip.warnings
    share = int(warning.partition("%")[0]) / 100
    assert share == pytest.approx(1 - clip.duration_seconds / 4, abs=0.02)
    assert 0.1 < share < 0.5


def test_a_recording_that_begins_inside_a_group_of_pictures(tmp_path):
    path = write_timed_video(
        tmp_path / "clip.ts", CONSTANT, options={"g": "20", "bf": "0", "x264-params": "scenecut=0"}
    )
    data = path.read_bytes()
    path.write_bytes(data[188 * (len(data) // 188 // 10) :])
    clip = decode(path)
    numbers = frame_numbers(clip.jpeg_frames)
    assert numbers == sorted(numbers)
    assert numbers[0] >= 20
    assert numbers[-1] > 90


@pytest.mark.parametrize("name", ["clip.mkv", "clip.ts", "clip.mp4"])
def test_a_still_screen_with_sound_is_kept(tmp_path, name):
    times = [*range(10), *range(40, 50)]
    clip = decode(write_with_sound(tmp_path / name, times, 50.0), 10)
    middles = sample_times(0.0, clip.duration_seconds, 10)
    expected = [max(i for i, time in enumerate(times) if time <= middle) for middle in middles]
    assert clip.duration_seconds == pytest.approx(50, abs=2)  # TS does not say how long the last picture lasts
    assert frame_numbers(clip.jpeg_frames) == expected
    assert clip.warnings == ()


@pytest.mark.parametrize("name", ["clip.ts"])
def test_a_jump_that_the_sound_knows_nothing_of_is_taken_out(tmp_path, name):
    times = [i / 5 for i in range(100)]
    clip = decode(write_with_sound(tmp_path / name, times, 20.0, video_jump=(50, 120.0)), 10)
    assert frame_numbers(clip.jpeg_frames) == list(range(5, 100, 10))
    assert "its clock jumps by 120 seconds after" in clip.warnings[0]


def test_a_jump_of_hours_is_taken_out(tmp_path):
    times = [*CONSTANT[:50], *(36_000 + time for time in CONSTANT[50:])]
    clip = decode(write_timed_video(tmp_path / "clip.mkv", times, time_base=Fraction(1, 1000), last_seconds=0.04))
    assert frame_numbers(clip.jpeg_frames) == EIGHT
    assert "its clock jumps by 36000 seconds after 1.96 seconds: the jump was taken out" in clip.warnings


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv", "clip.ts"])
def test_seconds_are_those_of_players(tmp_path, name):
    path = write_with_sound(tmp_path / name, [3 + time for time in CONSTANT], 8.0)
    origin = VideoFile(path).zero_seconds
    for start, first in ((3.0, 0), (4.0, 25), (6.0, 75)):
        clip = decode(path, 5, start_seconds=start - origin, end_seconds=start - origin + 1)
        assert np.abs(np.array(frame_numbers(clip.jpeg_frames)) - (first + np.arange(2, 25, 5))).max() <= 1
    assert frame_numbers(decode(path).jpeg_frames) == EIGHT
    with pytest.raises(InputError, match=r"end_seconds: expected more than the [23]\.\d+ seconds at which the first"):
        decode(path, start_seconds=0.0, end_seconds=2.0)


@pytest.mark.parametrize(("name", "codec", "pixels"), [("a.gif", "gif", "rgb8"), ("a.mkv", "libx264", "yuv420p")])
@pytest.mark.parametrize(("last", "expected"), [(9.0, [0] + [1] * 7), (0.25, [0] * 6 + [1] * 2)])
def test_the_last_frame_lasts_as_long_as_the_container_says(tmp_path, name, codec, pixels, last, expected):
    path = write_timed_video(
        tmp_path / name, [0.0, 1.0], codec=codec, pixel_format=pixels, time_base=Fraction(1, 100), last_seconds=last
    )
    clip = decode(path)
    assert clip.duration_seconds == pytest.approx(1 + last, abs=0.01)
    middle = [(2 * n + 1) * (1 + last) / 16 for n in range(8)]
    assert frame_numbers(clip.jpeg_frames) == [int(time >= 1) for time in middle]
    assert len(expected) == 8


def picture() -> bytes:
    return cv2.imencode(".jpg", np.full((120, 120, 3), 255, np.uint8))[1].tobytes()


def write_with_cover(path: Path, *, has_video: bool, is_marked: bool) -> Path:
    """A white picture as first stream, then sound, and a painted video or none."""
    with av.open(io.BytesIO(picture())) as source, av.open(str(path), "w") as container:
        cover = container.add_stream_from_template(source.streams.video[0])
        if is_marked:
            cover.disposition = av.stream.Disposition.attached_pic
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        video = container.add_stream("libx264", rate=25, options={"bf": "0"}) if has_video else None
        if video:
            video.width, video.height, video.pix_fmt = 96, 72, "yuv420p"
        packet = next(packet for packet in source.demux() if packet.size)
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        container.mux(packet)
        for index in range(190):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.pts, frame.sample_rate, frame.time_base = index * 1024, 48_000, Fraction(1, 48_000)
            container.mux(sound.encode(frame))
        for number in range(100 if video else 0):
            frame = av.VideoFrame.from_ndarray(paint_frame(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        if video:
            container.mux(video.encode(None))
    return path


@pytest.mark.parametrize("is_marked", [True, False])
def test_a_cover_picture_is_no_video(tmp_path, is_marked):
    clip = decode(write_with_cover(tmp_path / "clip.mov", has_video=True, is_marked=is_marked))
    assert frame_numbers(clip.jpeg_frames) == EIGHT
    assert (clip.width, clip.height) == (96, 72)
    with pytest.raises(InputError, match="It is only sound"):
        decode(write_with_cover(tmp_path / "song.mov", has_video=False, is_marked=is_marked))


def test_yuv4mpeg_is_a_video_although_it_may_begin_like_a_text(tmp_path):
    path = tmp_path / "grey.y4m"
    pictures = [bytes([ord("A") + number]) * (32 * 32 * 3 // 2) for number in range(3)]
    path.write_bytes(b"YUV4MPEG2 W32 H32 F25:1 Ip A1:1 C420\n" + b"".join(b"FRAME\n" + each for each in pictures))
    with VideoFile(path) as video:
        assert len(list(video)) == 3


def test_a_refused_file_is_closed(tmp_path):
    path = write_with_cover(tmp_path / "song.mov", has_video=False, is_marked=True)
    with pytest.raises(InputError, match="It is only sound") as raised:
        VideoFile(path)
    # `raised` keeps everything alive that has not been closed.
    assert raised.value.subject == str(path)
    assert str(path) not in [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "It is a Git LFS pointer"),
        (b"<!DOCTYPE html><html>not found</html>", "It is an HTML page"),
        (b"#EXTM3U\n#EXTINF:1,\nother.mp4\n", "It is a playlist"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "It is a list of files for FFmpeg"),
        (b"just words\n" * 50, "It is a text file"),
        (picture(), r"It is a still picture \(JPEG\)"),
        (cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes(), r"It is a still picture \(PNG\)"),
        (bytes(range(256)) * 9, "FFmpeg finds no video stream in it"),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".txt", ".m3u8", ".jpg"])
def test_what_is_no_video_is_called_by_its_name(tmp_path, monkeypatch, content, message, suffix):
    write_timed_video(tmp_path / "other.mp4", CONSTANT[:5])
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        decode(path)


@pytest.mark.parametrize("name", ["concat:a.mp4|b.mp4", "http:x.mp4", "file:a.mp4", "pipe:0", "data:a.mp4", "%03d.mp4"])
def test_a_name_is_never_an_address(tmp_path, monkeypatch, name):
    write_timed_video(tmp_path / "clip.mp4", CONSTANT).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert frame_numbers(decode(name).jpeg_frames) == EIGHT


def test_transparent_pixels_are_laid_over_black(tmp_path):
    rgba = np.zeros((72, 96, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, 48:, 3], rgba[:, :48, 3] = 255, 0
    path = tmp_path / "clip.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "rgba"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, format="rgba")))
        container.mux(stream.encode(None))
    frame = next(iter(open_source(path)))
    assert (frame.pixels[:, :48] == 0).all()
    assert (frame.pixels[:, 48:] == (0, 0, 200)).all()


FILM = [i / 25 for i in range(2000)]
RANGES = [(70.0, 72.0), (0.0, 1.0), (30.5, 31.5), (31.0, 33.0), (61.96, 62.04), (5.0, 5.02)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {"g": "50", "bf": "2"}),
        ("film.mkv", {"g": "50", "bf": "3", "x264-params": "open-gop=1:log-level=none"}),
        ("film.ts", {"g": "50", "bf": "2"}),
        ("refresh.mp4", {"g": "50", "bf": "0", "x264-params": "intra-refresh=1:log-level=none"}),
        ("one_key.mp4", {"g": "9999", "bf": "2", "x264-params": "scenecut=0:log-level=none"}),
    ],
)
def test_ranges_of_one_file_are_those_read_alone_and_from_the_start(tmp_path, name, options):
    path = write_timed_video(tmp_path / name, FILM, options=options, size=(64, 48), time_base=Fraction(1, 90_000))
    requests = [ClipRequest(path, 4, 256, 95, start, end) for start, end in RANGES]
    together = read_file([*requests, ClipRequest(path, 8, 256, 95)])
    for request, clip in zip(requests, together, strict=False):
        alone = read_clip(request)
        assert alone.jpeg_frames == clip.jpeg_frames
        assert alone.timestamps_seconds == clip.timestamps_seconds
        middles = [
            request.start_seconds + (n + 0.5) * (request.end_seconds - request.start_seconds) / 4 for n in range(4)
        ]
        assert frame_numbers(alone.jpeg_frames) == [int(middle * 25 + 1e-6) for middle in middles]
    # every picture from the first on, by another reader
    with av.open(str(path)) as container:
        pixels = [picture.to_ndarray(format="bgr24") for picture in container.decode(video=0)]
    for jpeg, number in zip(together[3].jpeg_frames, frame_numbers(together[3].jpeg_frames), strict=True):
        assert cv2.imencode(".jpg", pixels[number], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() == jpeg


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_late_range_decodes_no_more_than_an_early_one(tmp_path, monkeypatch, name):
    path = write_timed_video(tmp_path / name, FILM, options={"g": "50", "bf": "0"}, size=(64, 48))
    counts = {}
    original = VideoFile.decode
    for start in (0.0, 76.0):
        counts[start] = 0

        def count(self, *arguments, start=start):
            for picture in original(self, *arguments):
                counts[start] += 1
                yield picture

        monkeypatch.setattr(VideoFile, "decode", count)
        decode(path, 4, start_seconds=start, end_seconds=start + 2)
    assert counts[76.0] <= 2 * counts[0.0] <= 200


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts"])
def test_packets_too_many_to_be_held_are_found_again_without_reading_the_file(tmp_path, monkeypatch, name):
    path = write_timed_video(tmp_path / name, FILM[:500], options={"g": "50", "bf": "2"}, size=(64, 48))
    request = ClipRequest(path, 4, 256, 95, 17.0, 18.0)
    held = read_clip(request)
    monkeypatch.setattr(packets, "KEPT_BYTES", 0)
    monkeypatch.setattr(VideoFile, "_reopen", lambda self: pytest.fail("the file is read from its start"))
    assert read_clip(request) == held


def test_a_refused_range_does_not_take_the_others(tmp_path):
    path = write_timed_video(tmp_path / "clip.mp4", CONSTANT)
    good, bad, wrong = read_file(
        [
            ClipRequest(path, 4, 256, 95, 1.0, 2.0),
            ClipRequest(path, 4, 256, 95, 9.0, 10.0),
            ClipRequest(path, 0, 256, 95),
        ]
    )
    assert frame_numbers(good.jpeg_frames) == [28, 34, 40, 46]
    assert "start_seconds: expected less than the 4.000 seconds" in str(bad)
    assert "num_frames: expected 1 or more" in str(wrong)


def overwrite(path: Path, start_seconds: float, end_seconds: float) -> Path:
    """Makes the pictures of a stretch unreadable; where they stand in the file, and when they come, stays."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size and start_seconds <= float(packet.pts * packet.time_base) < end_seconds:
                payload = content.find(bytes(packet), packet.pos)
                content[payload : payload + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    return path


def outcome(answer):
    return str(answer) if isinstance(answer, InputError) else answer


@pytest.mark.parametrize(("name", "codec"), [("film.mp4", "libx264"), ("film.mkv", "libx264"), ("film.avi", "mpeg4")])
def test_a_clip_is_the_same_whichever_are_read_with_it(tmp_path, name, codec):
    path = write_timed_video(
        tmp_path / name, FILM, codec=codec, options={"g": "25", "bf": "0"}, size=(64, 48), time_base=Fraction(1, 25)
    )
    overwrite(path, 20.0, 31.0)
    ranges = [(22.0, 28.0), (60.0, 65.0), (30.5, 33.0), (31.9, 40.0), (62.0, 70.0), (77.0, None), (5.0, 5.02)]
    requests = [ClipRequest(path, 4, 256, 95, start, end) for start, end in ranges]
    together = [outcome(answer) for answer in read_file(requests)]
    assert together == [outcome(*read_file([request])) for request in requests]
    assert [outcome(answer) for answer in read_file(requests[::-1])] == together[::-1]
    if name != "film.avi":  # its times are not told, so that each of its clips is decoded from the first picture on
        assert [isinstance(answer, str) for answer in together] == [True, False, True, *[False] * 4]
        assert not any(answer.warnings for answer in (together[1], *together[3:]))
    assert frame_numbers(together[1].jpeg_frames) == [int((60 + (n + 0.5) * 1.25) * 25 + 1e-6) for n in range(4)]


def test_a_short_clip_has_its_own_rate_whichever_are_read_with_it(tmp_path):
    times = [*(i / 25 for i in range(1000)), *(40 + i / 10 for i in range(400))]
    path = write_timed_video(tmp_path / "film.mp4", times, options={"g": "25", "bf": "0"}, size=(64, 48))
    requests = [ClipRequest(path, 4, 256, 95, *span) for span in [(30.0, 39.0), (38.0, 50.0), (41.01, 41.19)]]
    assert [outcome(answer) for answer in read_file(requests)] == [
        outcome(*read_file([request])) for request in requests
    ]
    assert read_clip(requests[-1]).fps == pytest.approx(10)


def test_a_refusal_for_damage_counts_the_frames_of_its_clip(tmp_path):
    path = write_timed_video(tmp_path / "film.mp4", FILM, options={"g": "25", "bf": "0"}, size=(64, 48))
    overwrite(path, 20.0, 31.0)
    with pytest.raises(InputError, match=r"(\d+) of the (\d+) frames that were to be decoded .*damaged") as raised:
        decode(path, start_seconds=22.0, end_seconds=28.0)
    num_lost, num_expected = (int(word) for word in str(raised.value).split() if word.isdigit())
    assert num_expected / 2 < num_lost <= num_expected < 350


def test_pictures_of_clips_that_overlap_are_decoded_once(tmp_path, monkeypatch):
    path = write_timed_video(tmp_path / "film.mp4", FILM, options={"g": "25", "bf": "0"}, size=(64, 48))
    decoded = []
    original = VideoFile.decode

    def noted(self, *arguments):
        for picture in original(self, *arguments):
            decoded.append(picture.pts)
            yield picture

    monkeypatch.setattr(VideoFile, "decode", noted)
    read_file([ClipRequest(path, 8, 256, 95, start, start + 4.0) for start in (10.0, 11.0, 12.0, 13.0)])
    assert len(decoded) == len(set(decoded)) <= 200


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi", "clip.ts"])
def test_every_source_keeps_the_protocol(tmp_path, name):
    times = [i / 25 for i in range(40)]
    path = write_timed_video(tmp_path / name, times, time_base=Fraction(1, 25))
    with open_source(path) as source:
        frames = list(source)
        assert source.duration_seconds == pytest.approx(1.6, abs=2e-3)
    assert [frame.index for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.time_seconds for frame in frames], times, atol=1e-3)
    assert [read_frame_number(frame.pixels) for frame in frames] == list(range(40))
    assert {(frame.pixels.shape, frame.pixels.dtype) for frame in frames} == {((72, 96, 3), np.dtype(np.uint8))}
    source.close()
