from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifests import read_csv, read_jsonl, write_videos
from vidmodel_tf.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_videos(tmp_path, "a.mp4", "b.mp4", "c.mp4", "in/d.mp4")
    return tmp_path


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("Path", "path"),
        ("labl", "label"),
        ("labels", "labels:HEAD"),
        ("lable:mood", "label:mood"),
        ("Labels:mood", "labels:mood"),
        ("titel", "title"),
        ("tag", "tags"),
        ("subtitle", "subtitles"),
        ("start", "start_seconds"),
        ("End Seconds", "end_seconds"),
        ("sources", "source"),
        ("Split", "split"),
        ("time_start", "start_seconds"),
        ("time_end", "end_seconds"),
        ("Start Time", "start_seconds"),
        ("t-end", "end_seconds"),
        ("begin", "start_seconds"),
        ("end_sec", "end_seconds"),
        ("start_frame", "start_seconds"),
        ("end_frame", "end_seconds"),
        ("screentext", "screen_text"),
    ],
)
def test_misspelt_columns_are_refused(root: Path, column: str, meant: str) -> None:
    with pytest.raises(InputError, match=rf"my\.csv: column '{column}': did you mean .*'{meant}'"):
        read_csv(root, f"path,label:x,{column}", "a.mp4,x,1", "b.mp4,y,1")


@pytest.mark.parametrize("column", ["file", "video_title", "url", "fps", "camera:left", "language", ""])
def test_other_columns_are_ignored_and_listed(root: Path, column: str) -> None:
    manifest = read_csv(root, f"path,label,{column}", "a.mp4,x,1", "b.mp4,y,1")
    assert manifest.ignored_columns == (column or "column 3",)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        *[(name, "reserved") for name in ("frames", "token_ids", "text", "id", "source", "features")],
        *[(name, "small letters") for name in ("", "Mood", "1st", "mood!", "настроение", "my head", "mood\n")],
        *[(name, "must not end in _label or _scores") for name in ("my_label", "my_scores")],
    ],
)
@pytest.mark.parametrize("prefix", ["label", "labels"])
def test_heads_that_no_output_may_be_called(root: Path, prefix: str, head: str, message: str) -> None:
    row = {f"{prefix}:{head}": "x", "path": "a.mp4"}
    with pytest.raises(InputError, match=message):
        read_jsonl(root, row, row | {f"{prefix}:{head}": "y", "path": "b.mp4"})


@pytest.mark.parametrize("columns", ["label,label:label", "label:x,labels:x"])
def test_a_head_declared_twice_is_refused(root: Path, columns: str) -> None:
    with pytest.raises(InputError, match=r"both label the head"):
        read_csv(root, f"path,{columns}", "a.mp4,x,y", "b.mp4,y,x")


def test_several_bad_columns_are_all_told(root: Path) -> None:
    with pytest.raises(InputError, match=r"'titel'.*\(1 more fault") as caught:
        read_csv(root, "path,label,titel,tag", "a.mp4,x,,", "b.mp4,y,,")
    assert "'tag'" in caught.value.details[0]


def test_frames_are_to_be_given_in_seconds(root: Path) -> None:
    with pytest.raises(InputError, match=r"'start_frame': did you mean 'start_seconds'\? A range is given in seconds"):
        read_csv(root, "path,label,start_frame", "a.mp4,x,1", "b.mp4,y,1")


def test_other_times_beside_ours_are_ignored(root: Path) -> None:
    manifest = read_csv(root, "path,label,start_seconds,time_start,start_frame", "a.mp4,x,1,2,3", "b.mp4,y,1,2,3")
    assert manifest.ignored_columns == ("time_start", "start_frame")
    assert manifest.clips[0].start_seconds == 1.0
