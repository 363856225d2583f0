from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidmodel_tf.clips.clip_request import ClipRequest
from vidmodel_tf.clips.read_clip import read_clip
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.names import VIDEO_SUFFIXES, expand_videos, is_video_name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MKV", "notes.txt", "inner/deep/c.webm", "inner/d.srt", ".hidden/e.mp4", "._b.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(paths: list[Path], folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]


def test_folder_gives_all_videos_below_it_sorted(folder: Path) -> None:
    assert names(expand_videos([str(folder)]), folder) == ["a.MKV", "b.mp4", "inner/deep/c.webm"]


def test_files_are_kept_as_they_are_even_if_missing(folder: Path) -> None:
    given = [str(folder / "notes.txt"), str(folder / "missing.mp4"), str(folder / "b.mp4")]
    assert expand_videos(given) == [Path(path) for path in given]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.mp4", ["b.mp4"]),
        ("?.*", ["a.MKV", "b.mp4"]),
        ("**/*.webm", ["inner/deep/c.webm"]),
        ("**", ["a.MKV", "b.mp4", "inner/deep/c.webm"]),
        ("inn*", ["inner/deep/c.webm"]),
    ],
)
def test_patterns(folder: Path, pattern: str, expected: list[str]) -> None:
    assert names(expand_videos([str(folder / pattern)]), folder) == expected


def test_relative_patterns_stay_relative(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert expand_videos(["*.mp4"]) == [Path("b.mp4")]


def test_arguments_keep_their_order_and_files_come_once(folder: Path) -> None:
    found = expand_videos([str(folder / "inner"), str(folder / "b.mp4"), str(folder), str(folder / "b*")])
    assert names(found, folder) == ["inner/deep/c.webm", "b.mp4", "a.MKV"]


def test_existing_file_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    path = tmp_path / "clip [1].mp4"
    path.write_bytes(b"x")
    assert expand_videos([str(path)]) == [path]


def test_link_to_a_folder_above_ends(folder: Path) -> None:
    (folder / "inner" / "up").symlink_to(folder)
    assert names(expand_videos([str(folder)]), folder) == ["a.MKV", "b.mp4", "inner/deep/c.webm"]


def test_pattern_and_folder_without_videos_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"the pattern '.*\*\.avi'"):
        expand_videos([str(folder / "b.mp4"), str(folder / "*.avi")])
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match=r"expected at least one video \(\.mp4 .* the folder '.*empty'"):
        expand_videos([str(empty)])


@pytest.mark.parametrize("name", ["a.mp4", "a.b.M4V", "ä b.mov", "x.3gp", "x.gif", "x.ts"])
def test_video_names(name: str) -> None:
    assert is_video_name(name)


@pytest.mark.parametrize("name", ["a.srt", "mp4", ".mp4", "._a.mp4", "a.mp4.part", "a.jpg"])
def test_other_names(name: str) -> None:
    assert not is_video_name(name)


# How a file of each suffix is made: container and codec by FFmpeg's names.
MADE_AS = {
    **dict.fromkeys([".mp4", ".m4v", ".mp4v", ".f4v"], ("mp4", "libx264")),
    **dict.fromkeys([".mov", ".qt"], ("mov", "libx264")),
    **dict.fromkeys([".3gp", ".3gpp"], ("3gp", "libx264")),
    **dict.fromkeys([".3g2"], ("3g2", "libx264")),
    **dict.fromkeys([".avi", ".divx", ".xvid"], ("avi", "mpeg4")),
    **dict.fromkeys([".mkv", ".mk3d"], ("matroska", "libx264")),
    ".webm": ("webm", "libvpx"),
    **dict.fromkeys([".mpg", ".mpeg", ".mpe"], ("mpeg", "mpeg1video")),
    **dict.fromkeys([".vob", ".vro", ".evo", ".mod"], ("vob", "mpeg2video")),
    **dict.fromkeys([".ts", ".mts", ".m2ts", ".m2t", ".tp", ".trp", ".tod"], ("mpegts", "libx264")),
    **dict.fromkeys([".wmv", ".asf", ".wm"], ("asf", "wmv2")),
    ".flv": ("flv", "flv"),
    ".gif": ("gif", "gif"),
    ".apng": ("apng", "apng"),
    **dict.fromkeys([".ogv", ".ogm"], ("ogg", "libvpx")),
    ".mxf": ("mxf", "mpeg2video"),
    ".gxf": ("gxf", "mpeg2video"),
    ".dv": ("dv", "dvvideo"),
    ".wtv": ("wtv", "mpeg2video"),
    **dict.fromkeys([".rm", ".rmvb"], ("rm", "rv10")),
    ".nut": ("nut", "mpeg4"),
    ".ivf": ("ivf", "libvpx"),
    ".y4m": ("yuv4mpegpipe", "wrapped_avframe"),
    **dict.fromkeys([".mjpeg", ".mjpg"], ("mjpeg", "mjpeg")),
    ".m1v": ("mpeg1video", "mpeg1video"),
    ".m2v": ("mpeg2video", "mpeg2video"),
    **dict.fromkeys([".h264", ".264"], ("h264", "libx264")),
    **dict.fromkeys([".h265", ".265", ".hevc"], ("hevc", "libx265")),
}
NOT_MADE = {".dav"}  # FFmpeg reads it, but does not write it
SIZES = {".dv": (720, 576), ".gxf": (720, 576), ".rm": (176, 144), ".rmvb": (176, 144)}


def make_video(path: Path, num_frames: int = 10) -> None:
    container_format, codec = MADE_AS[path.suffix]
    width, height = SIZES.get(path.suffix, (96, 64))
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = width, height
        stream.pix_fmt = {"gif": "rgb8", "apng": "rgb24", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        for index in range(num_frames):
            frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 20 * index, np.uint8), format="rgb24")
            container.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode())


def test_every_suffix_is_tried() -> None:
    assert set(MADE_AS) | NOT_MADE == set(VIDEO_SUFFIXES)


@pytest.mark.parametrize("suffix", sorted(MADE_AS))
def test_files_of_this_suffix_can_be_decoded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    make_video(path)
    clip = read_clip(ClipRequest(path=path, num_frames=5, short_side=48, jpeg_quality=90))
    assert len(clip.jpeg_frames) == 5
    brightness = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean() for jpeg in clip.jpeg_frames]
    assert brightness == sorted(brightness)
    assert brightness[-1] - brightness[0] > 100


def test_an_address_is_no_video():
    with pytest.raises(InputError, match=r"Received: 'http://host/a.mp4', an address; download it.*vidmodel watch"):
        expand_videos(["http://host/a.mp4"])
