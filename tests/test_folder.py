from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.manifests import assert_starts, folder_faults, write_videos
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError


def test_folder_of_class_folders(tmp_path: Path) -> None:
    write_videos(tmp_path, "walk/b.MP4", "walk/a.mp4", "Schlägerei/x y.webm")
    write_videos(tmp_path, "walk/notes.pdf", "walk/._a.mp4", ".cache/z/q.mp4", "docs/readme.md", "LICENSE")
    (tmp_path / "walk" / "a.txt").write_text("slowly")
    manifest = read_manifest(tmp_path)
    assert [clip.id for clip in manifest.clips] == ["Schlägerei/x y.webm", "walk/a.mp4", "walk/b.MP4"]
    assert [clip.labels["label"] for clip in manifest.clips] == ["Schlägerei", "walk", "walk"]
    assert [clip.text["description"] for clip in manifest.clips] == ["", "slowly", ""]
    assert all(clip.source == clip.id and clip.split is None for clip in manifest.clips)
    assert all(clip.path == tmp_path / clip.id for clip in manifest.clips)
    assert manifest.labels == {"label": ["Schlägerei", "walk"]}


@pytest.mark.parametrize("validation", ["validation", "val", "Val"])
def test_split_folders_above_the_class_folders(tmp_path: Path, validation: str) -> None:
    write_videos(tmp_path, "train/x/a.mp4", "train/y/b.mp4", f"{validation}/x/a.mp4", "test/y/c.mp4")
    (tmp_path / "metadata").mkdir()
    splits = {clip.id: (clip.split, clip.labels["label"]) for clip in read_manifest(tmp_path).clips}
    assert splits == {
        "train/x/a.mp4": ("train", "x"),
        "train/y/b.mp4": ("train", "y"),
        f"{validation}/x/a.mp4": ("validation", "x"),
        "test/y/c.mp4": ("test", "y"),
    }


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    write_videos(tmp_path, "train/a.mp4", "bus/b.mp4")
    assert read_manifest(tmp_path).labels == {"label": ["bus", "train"]}


def test_split_folder_beside_a_class_folder_is_refused(tmp_path: Path) -> None:
    write_videos(tmp_path, "train/x/a.mp4", "bus/b.mp4")
    with pytest.raises(InputError, match=r"Received: 'train' with folders in it, and beside it 'bus'"):
        read_manifest(tmp_path)


def test_links_to_files_elsewhere_get_their_class_from_their_own_place(tmp_path: Path) -> None:
    """As the caches of downloaders lie: `snapshots/X/LABEL/clip.mp4` is a link to `blobs/HASH`."""
    names = ["run/c0.mp4", "run/c1.mp4", "walk/c0.mp4"]
    snapshot = tmp_path / "snapshots" / "abc"
    for index, name in enumerate(names):
        write_videos(tmp_path, f"blobs/{index:040x}")
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(f"../../../blobs/{index:040x}")
    manifest = read_manifest(snapshot)
    assert [clip.id for clip in manifest.clips] == names
    assert [clip.labels["label"] for clip in manifest.clips] == ["run", "run", "walk"]
    assert [clip.path for clip in manifest.clips] == [snapshot / name for name in names]


def test_links_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4", "elsewhere/deep/.keep")
    root = tmp_path / "y"
    (root / "same.mp4").symlink_to(tmp_path / "x" / "a.mp4")
    (root / "dangling.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (root / "device.mp4").symlink_to("/dev/null")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "up").symlink_to(tmp_path)
    expected = [
        "y/dangling.mp4: .*a link to .*nowhere.mp4', which does not exist",
        "y/device.mp4: .*not a regular file",
        "y/same.mp4: the same file as x/a.mp4; remove one of the links",
        "y/folder: a link to a folder, which is not followed; link the videos in it one by one",
        "y/up: a link to a folder",
    ]
    for detail, start in zip(folder_faults(tmp_path), expected, strict=True):
        assert_starts(detail, start)


def test_links_to_words_must_stay_inside_the_source(tmp_path: Path) -> None:
    write_videos(tmp_path, "source/x/a.mp4", "source/y/b.mp4")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "source" / "x" / "a.txt").symlink_to(tmp_path / "secret.txt")
    assert_starts(folder_faults(tmp_path / "source")[0], "x/a.mp4: .*a.txt leads out of .*prepare.follow_links=true")
    manifest = read_manifest(tmp_path / "source", PrepareConfig(follow_links=True))
    assert [clip.words_from for clip in manifest.clips] == [{"description": "sidecar:a.txt"}, {}]


def test_class_folder_may_be_a_link_but_no_clip_comes_twice(tmp_path: Path) -> None:
    outside = tmp_path / "store"
    source = tmp_path / "source"
    write_videos(outside, "x/a.mp4", "y/b.mp4")
    source.mkdir()
    for name in ("x", "y"):
        (source / name).symlink_to(outside / name)
    assert [clip.id for clip in read_manifest(source).clips] == ["x/a.mp4", "y/b.mp4"]
    (source / "z").symlink_to(outside / "y")
    assert folder_faults(source) == ("z/b.mp4: the same file as y/b.mp4; remove one of the links",)


def test_every_bad_file_of_a_folder_is_listed(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4", "top.mp4", "y/deep/c.mp4", "y/d.mp4", "a|b/e.mp4")
    (tmp_path / "x" / "empty.mp4").touch()
    (tmp_path / "y" / "d.json").write_text("{")
    os.mkfifo(tmp_path / "y" / "pipe.mp4")
    details = sorted(folder_faults(tmp_path))
    expected = [
        "a|b/e.mp4: expected one class name, without '|'",
        "top.mp4: lies beside the class folders",
        "x/empty.mp4: .*which is empty (0 bytes)",
        "y/d.mp4: .*d.json is not JSON",
        "y/deep/c.mp4: lies deeper than the class folder",
        "y/pipe.mp4: .*not a regular file",
    ]
    assert len(details) == len(expected)
    for detail, start in zip(details, expected, strict=True):
        assert_starts(detail, start)


def test_folder_without_videos_and_with_one_class(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected videos in class folders, SOURCE/LABEL/clip\.mp4"):
        read_manifest(tmp_path)
    write_videos(tmp_path, "x/a.mp4", "x/b.mp4")
    with pytest.raises(InputError, match=r"head 'label': expected at least 2 classes to tell apart. Received: 'x'"):
        read_manifest(tmp_path)


def test_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4")
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        (tmp_path / "x" / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system keeps UTF-8 names only")
    assert "rename the file" in folder_faults(tmp_path)[0]


def test_files_that_nobody_reads_are_counted_by_suffix(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "x/a.jpg", "x/b.bik", "x/c.BIK", "x/notes.txt", "x/.hidden", "y/b.mp4")
    write_videos(tmp_path, "y/LICENSE", "README.md", "x/frames/1.jpg")
    (tmp_path / "x" / "a.txt").write_text("beside a video, so read")
    manifest = read_manifest(tmp_path)
    assert manifest.passed_over == {".jpg": 2, ".bik": 2, ".txt": 1, "without a suffix": 1}


def test_a_class_folder_without_a_video_is_told(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4", "z/c.bik", "nan/d.mp4")
    (tmp_path / "empty").mkdir()
    assert read_manifest(tmp_path).warnings == (
        "the folder 'empty' holds no video, so there is no class of this name",
        "the class 'nan' has the name by which pandas writes a missing value",
        "the folder 'z' holds no video, so there is no class of this name",
    )


def test_the_error_says_what_was_there_instead_of_videos(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.bik", "y/b.bik")
    with pytest.raises(InputError, match=r"Received: no video in .*, but 2 files: 2 \.bik"):
        read_manifest(tmp_path)
    write_videos(tmp_path, "x/a.mp4")
    with pytest.raises(InputError, match=r"expected at least 2 classes") as caught:
        read_manifest(tmp_path)
    assert caught.value.details == (
        "the folder 'y' holds no video, so there is no class of this name",
        "passed over: 2 files: 2 .bik",
    )


def test_words_in_other_languages_are_told(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4")
    for name in ("x/a.de.vtt", "y/b.de.vtt", "y/b.ass"):
        (tmp_path / name).write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n")
    manifest = read_manifest(tmp_path)
    (warning,) = manifest.warnings
    assert "3 files: 2 .de.vtt, 1 .ass" in warning
    assert "prepare.languages=['en']" in warning
    assert manifest.passed_over == {}
    manifest = read_manifest(tmp_path, PrepareConfig(languages=("de",)))
    assert [clip.text["subtitles"] for clip in manifest.clips] == ["words", "words"]
    assert manifest.warnings == ()
