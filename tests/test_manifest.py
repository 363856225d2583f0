from __future__ import annotations

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.manifests import read_csv, write_videos
from tests.real_data import FIGHTS, needs
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.config import MODEL_FIELDS
from vidmodel_tf.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_videos(tmp_path, "a.mp4", "b.mp4", "c.mp4", "in/d.mp4")
    return tmp_path


def test_relative_source_argument(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_csv(root, "path,label", "a.mp4,x", "b.mp4,y")
    monkeypatch.chdir(root / "in")
    assert read_manifest("../my.csv") == expected
    assert expected.clips[0].path.is_absolute()


def test_class_names_are_sorted_by_code_point(root: Path) -> None:
    names = ["b", "B", "ä", "z", "🎬", "￼"]  # U+1F3AC after U+FFFC, though its UTF-16 starts lower
    write_videos(root, *(f"{index}.mp4" for index in range(len(names))))
    manifest = read_csv(root, "path,label", *(f"{index}.mp4,{name}" for index, name in enumerate(names)))
    assert [ord(name) for name in manifest.labels["label"]] == sorted(ord(name) for name in names)


def test_two_spellings_that_look_the_same_are_one_class(root: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    manifest = read_csv(root, "path,label", f"a.mp4,{composed}", f"b.mp4,{decomposed}", "c.mp4,x")
    assert manifest.labels == {"label": ["x", composed]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"my\.csv: expected at least one row"),
        (["path,label"], r"my\.csv: expected at least one row"),
        (
            ["file,label", "a.mp4,x"],
            r"my\.csv: expected a column 'path', or for words without videos one of title, .* 'file', 'label'",
        ),
        (["path,kind", "a.mp4,x"], r"expected a column 'label', 'label:HEAD' or 'labels:HEAD'"),
        (["path;label", "a.mp4;x"], r"expected columns separated by commas. Received: 'path;label'"),
        (["path,label,label", "a.mp4,x,y"], r"expected each column once. Received twice: 'label'"),
        (["path,label", 'a.mp4,"x', "b.mp4,y"], r"row 2, which starts in line 2, is not CSV"),
        (["path,label", "a.mp4,x", "b.mp4,x"], r"head 'label': expected at least 2 classes .* Received: 'x'"),
        (["path,label,labels:m", "a.mp4,x,|", "b.mp4,y,"], r"head 'm': expected at least 1 classes.* Received: none"),
        (["path,label,label:m", "a.mp4,x,", "b.mp4,y,"], r"head 'm': expected at least 2 classes.* Received: none"),
    ],
)
def test_unusable_tables(root: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_csv(root, *lines)


def test_manifest_inside_a_folder_goes_before_the_folders(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4")
    (tmp_path / "clips.csv").write_text("path,label,source\nx/a.mp4,one,s\ny/b.mp4,two,s\n")
    manifest = read_manifest(tmp_path)
    assert manifest.labels == {"label": ["one", "two"]}
    assert {clip.source for clip in manifest.clips} == {"s"}
    (tmp_path / "clips.jsonl").touch()
    with pytest.raises(InputError, match=r"Received: clips\.csv and clips\.jsonl"):
        read_manifest(tmp_path)


@needs(FIGHTS)
def test_real_clips() -> None:
    manifest = read_manifest(FIGHTS)
    with FIGHTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(clip.id, clip.labels["label"], clip.source) for clip in manifest.clips] == [
        (row["path"], row["label"], row["source"]) for row in rows
    ]
    assert len(rows) == 240
    assert manifest.labels == {"label": ["fight", "noFight"]}


# fmt: off
CELLS = st.sampled_from([
    "a.mp4", "b.mp4", "x", "['a', 'b']", "{}", "nan", "1", "-1", "1e999", "|", "a|b", "a,b", "s.srt", "../a", "\\", '"',
    "https://x", "\x00", "val", "\ufeff", "", " ", "[" * 2000, "9" * 5000,
]) | st.text(max_size=6)
NAMES = [
    "path", "label", "label:mood", "labels:x", *MODEL_FIELDS, "start_seconds", "end_seconds", "source", "split", "id",
]
# fmt: on
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
COLUMNS = st.lists(st.sampled_from([*NAMES, "time_start", "a.mp4 3", "path label"]) | st.text(max_size=6), max_size=6)


def reads_or_refuses_in_one_line(path: Path) -> None:
    try:
        read_manifest(path)
    except InputError as error:
        assert "\n" not in str(error)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_csv_is_read_or_refused(root: Path, data: st.DataObject) -> None:
    columns = data.draw(COLUMNS)
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns) + 1), max_size=4))
    path = root / "my.csv"
    with path.open("w", encoding=data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    reads_or_refuses_in_one_line(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6) | VALUES, max_size=4), st.booleans())
def test_any_jsonl_is_read_or_refused(root: Path, rows: list[object], as_array: bool) -> None:
    path = root / "my.jsonl"
    path.write_text(json.dumps(rows, indent=1) if as_array else "\n".join(map(json.dumps, rows)), encoding="utf-8")
    reads_or_refuses_in_one_line(path)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([b"", b"path,label\n", b"\xff\xfe", b"[", b"{"]), st.booleans())
def test_any_bytes_are_read_or_refused(root: Path, content: bytes, beginning: bytes, is_csv: bool) -> None:
    path = root / ("my.csv" if is_csv else "my.jsonl")
    path.write_bytes(beginning + content)
    reads_or_refuses_in_one_line(path)


@pytest.mark.parametrize("text", ["[" * 900 + "]" * 900, "[" * 100_000, '{"path": ' + "9" * 10_000 + "}"])
def test_deep_and_long_json(root: Path, text: str) -> None:
    path = root / "my.jsonl"
    for line in (text, f'{{"path": {text}, "label": {text}, "tags": {text}, "start_seconds": {text}}}'):
        path.write_text(f'{{"path": "a.mp4", "label": "x"}}\n{line}', encoding="utf-8")
        reads_or_refuses_in_one_line(path)
