from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifests import read_csv, write_videos
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError

UCF101 = [
    f"{label}/v_{label}_g0{group}_c0{part}.avi" for label in ("Archery", "Biking") for group in "12" for part in "12"
]


def sources(folder: Path, pattern: str) -> list[str]:
    return [clip.source for clip in read_manifest(folder, PrepareConfig(source_pattern=pattern)).clips]


def test_groups_in_names_are_suspected(tmp_path: Path) -> None:
    write_videos(tmp_path, *UCF101)
    (warning,) = read_manifest(tmp_path).warnings
    assert warning.startswith(
        "no source is given, but 8 clips in 4 groups have names that differ only in their last number, such as "
        "'Archery/v_Archery_g01_c01.avi' and 'Archery/v_Archery_g01_c02.avi': "
    )


def test_the_pattern_that_the_warning_proposes_keeps_the_groups_whole(tmp_path: Path) -> None:
    write_videos(tmp_path, *UCF101)
    (warning,) = read_manifest(tmp_path).warnings
    pattern = warning.partition("prepare.source_pattern='")[2].partition("'")[0]
    assert sources(tmp_path, pattern) == [name.partition("_c")[0] + "_c" for name in UCF101]
    assert read_manifest(tmp_path, PrepareConfig(source_pattern=pattern)).warnings == ()


@pytest.mark.parametrize(
    ("names", "is_suspect"),
    [
        (["x/a_1.mp4", "x/a_2.mp4", "x/b_1.mp4", "y/c.mp4"], True),
        (["x/film 1 scene 10.mp4", "x/film 1 scene 2.mp4", "x/film 2 scene 1.mp4", "y/c.mp4"], True),
        (["x/a_1_0.avi", "x/a_1_1.avi", "x/b.mp4", "y/c.mp4"], True),
        (["x/only_g01_c01.avi", "x/only_g01_c02.avi", "y/c.mp4"], True),
        (["x/c1.mp4", "x/c2.mp4", "x/c10.mp4", "y/c1.mp4", "y/c2.mp4"], False),  # merely numbered
        (["x/1.mp4", "x/2.mp4", "y/1.mp4"], False),
        (["x/a.mp4", "x/b.mp4", "y/c.mp4"], False),
        (["x/a_1.mp4", "x/b_1.mp4", "y/a_2.mp4", "y/c.mp4"], False),  # the same name in another class
    ],
)
def test_which_names_are_suspect(tmp_path: Path, names: list[str], is_suspect: bool) -> None:
    write_videos(tmp_path, *names)
    assert bool(read_manifest(tmp_path).warnings) == is_suspect


def test_tables_are_suspected_too_unless_they_name_sources(tmp_path: Path) -> None:
    write_videos(tmp_path, "a_1.mp4", "a_2.mp4", "b.mp4", "c.mp4")
    rows = ["a_1.mp4,x,s", "a_2.mp4,x,s", "b.mp4,x,t", "c.mp4,y,u"]
    assert read_csv(tmp_path, "path,label,camera", *rows).warnings
    assert read_csv(tmp_path, "path,label,source", *rows).warnings == ()


def test_ranges_of_one_file_are_no_groups(tmp_path: Path) -> None:
    write_videos(tmp_path, "a_1.mp4", "b.mp4")
    rows = ["a_1.mp4,x,0", "a_1.mp4,x,2", "b.mp4,x,0", "b.mp4,y,1"]
    assert read_csv(tmp_path, "path,label,start_seconds", *rows).warnings == ()


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"cam\d+", ["cam1", "cam1", "cam2"]),
        (r"(cam\d+)_\d", ["cam1", "cam1", "cam2"]),
        (r"^[^/]*/(.*)_", ["cam1", "cam1", "cam2"]),
        (r"\d$", ["1", "2", "3"]),  # the suffix .mp4 does not belong to what is searched
        (r"(?:nothing)?(cam2)?", None),
    ],
)
def test_what_the_pattern_finds_is_the_source(tmp_path: Path, pattern: str, expected: list[str] | None) -> None:
    write_videos(tmp_path, "x/cam1_1.mp4", "x/cam1_2.mp4", "y/cam2_3.mp4")
    if expected:
        assert sources(tmp_path, pattern) == expected


def test_files_in_which_it_finds_nothing_are_counted(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/cam1_1.mp4", "x/cam1_2.mp4", "y/other.mp4")
    manifest = read_manifest(tmp_path, PrepareConfig(source_pattern=r"cam\d+"))
    assert [clip.source for clip in manifest.clips] == ["cam1", "cam1", "y/other.mp4"]
    assert manifest.warnings == (
        "prepare.source_pattern finds nothing in 1 of 3 paths; each of these files counts as a source of its own",
    )


def test_sources_of_the_manifest_stay_and_ranges_share_theirs(tmp_path: Path) -> None:
    write_videos(tmp_path, "cam1_1.mp4", "cam1_2.mp4")
    path = tmp_path / "my.csv"
    path.write_text("path,label,start_seconds,source\ncam1_1.mp4,x,,mine\ncam1_2.mp4,y,1,\ncam1_2.mp4,y,3,\n")
    manifest = read_manifest(path, PrepareConfig(source_pattern="cam."))
    assert [clip.source for clip in manifest.clips] == ["mine", "cam1", "cam1"]


@pytest.mark.parametrize("pattern", ["nothing like it", "(never)?"])
def test_a_pattern_that_finds_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4")
    with pytest.raises(InputError, match=r"prepare\.source_pattern: .*finds nothing in the 2 clips .* such as 'x/a'$"):
        sources(tmp_path, pattern)


def test_a_pattern_for_words_without_videos(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("id,label,title\nann 1.5,x,one\nann 2.5,y,two\nbob 1.5,x,three\n")
    manifest = read_manifest(path, PrepareConfig(source_pattern=r"^\w+"))
    assert [clip.source for clip in manifest.clips] == ["ann", "ann", "bob"]
