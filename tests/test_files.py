from __future__ import annotations

from pathlib import Path

import pytest

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.names import expand_videos, is_video_name


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
