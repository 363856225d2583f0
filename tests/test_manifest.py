from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from vidmodel_tf.clips.clip import clip_id
from vidmodel_tf.clips.manifest.read import Manifest, read_manifest
from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError

REAL_CLIPS = Path(__file__).parents[2] / "shared" / "data" / "surveillance_fights" / "clips.csv"

NO_WORDS = dict.fromkeys(TEXT_FIELDS, "")


def write_videos(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not decoded here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_videos(tmp_path, "a.mp4", "b.mp4", "c.mp4", "in/d.mp4")
    return tmp_path


def read_csv(root: Path, *lines: str, encoding: str = "utf-8") -> Manifest:
    path = root / "my.csv"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return read_manifest(path)


def read_jsonl(root: Path, *rows: object) -> Manifest:
    path = root / "my.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return read_manifest(path)


def faults(root: Path, *lines: str) -> tuple[str, ...]:
    with pytest.raises(InputError, match=r"bad rows? of") as caught:
        read_csv(root, *lines)
    return caught.value.details


# ---- tables ----


def test_every_column_of_a_csv(root: Path) -> None:
    manifest = read_csv(
        root,
        "path,label,label:mood,labels:things,title,description,tags,subtitles,speech,start_seconds,end_seconds,source,split,id",
        'b.mp4,fight, happy ,man| dog |man,"A, title",What it is,"x, y",said,spoken,1.5,3,cam 1,train,7',
        "a.mp4,walk,,|,,,,,,,,,val,8",
        "in/d.mp4,,sad,,,,,,,2,,,,9",
    )
    first, second, third = manifest.clips
    assert dataclasses.asdict(first) == {
        "id": "b.mp4@1.5-3",
        "path": root / "b.mp4",
        "text": NO_WORDS
        | {"title": "A, title", "description": "What it is", "tags": "x, y", "subtitles": "said", "speech": "spoken"},
        "labels": {"label": "fight", "mood": "happy", "things": ("man", "dog")},
        "source": "cam 1",
        "start_seconds": 1.5,
        "end_seconds": 3.0,
        "split": "train",
        "words_from": {},
    }
    assert second.labels == {"label": "walk", "mood": None, "things": ()}
    assert second.text == NO_WORDS
    assert (second.id, second.source, second.split) == ("a.mp4", "a.mp4", "validation")
    assert (third.id, third.source, third.start_seconds, third.end_seconds) == ("in/d.mp4@2-", "in/d.mp4", 2.0, None)
    assert third.labels == {"label": None, "mood": "sad", "things": None}
    assert manifest.labels == {"label": ["fight", "walk"], "mood": ["happy", "sad"], "things": ["dog", "man"]}
    assert manifest.labels.multi_label == {"things"}
    assert manifest.ignored_columns == ("id",)


def test_jsonl_says_the_same_as_csv(root: Path) -> None:
    table = read_csv(
        root,
        "path,label,labels:things,tags,start_seconds",
        'a.mp4,1,x|y,"p, q",0.5',
        "b.mp4,2,|,,",
        "c.mp4,2,,r,",
    )
    lines = read_jsonl(
        root,
        {"path": "a.mp4", "label": 1, "labels:things": ["x", "y"], "tags": ["p", "q"], "start_seconds": 0.5},
        "",
        {"path": "b.mp4", "label": "2", "labels:things": [], "tags": None},
        {"path": "c.mp4", "label": "2", "labels:things": None, "tags": "r"},
    )
    assert lines == table
    assert lines.labels.multi_label == table.labels.multi_label == {"things"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_unicode_and_byte_order_mark(root: Path, encoding: str) -> None:
    write_videos(root, "日本/ä.mp4")
    manifest = read_csv(root, "path,label,title", "日本/ä.mp4,драка,🎬 العربية", "a.mp4,平和,x", encoding=encoding)
    assert manifest.clips[0].id == "日本/ä.mp4"
    assert manifest.clips[0].text["title"] == "🎬 العربية"
    assert manifest.labels == {"label": ["драка", "平和"]}


def test_class_names_are_sorted_by_code_point(root: Path) -> None:
    names = ["b", "B", "ä", "z", "🎬", "￼"]  # U+1F3AC after U+FFFC, though its UTF-16 starts lower
    write_videos(root, *(f"{index}.mp4" for index in range(len(names))))
    manifest = read_csv(root, "path,label", *(f"{index}.mp4,{name}" for index, name in enumerate(names)))
    assert [ord(name) for name in manifest.labels["label"]] == sorted(ord(name) for name in names)


def test_two_spellings_that_look_the_same_are_one_class(root: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    manifest = read_csv(root, "path,label", f"a.mp4,{composed}", f"b.mp4,{decomposed}", "c.mp4,x")
    assert manifest.labels == {"label": ["x", composed]}


def test_absolute_paths_inside_and_outside(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    write_videos(other, "o.mp4")
    manifest = read_csv(root, "path,label", f"{root}/in/d.mp4,x", f"{other}/o.mp4,y")
    assert [clip.id for clip in manifest.clips] == ["in/d.mp4", f"{other}/o.mp4"]
    assert [clip.path for clip in manifest.clips] == [root / "in" / "d.mp4", other / "o.mp4"]


def test_relative_source_argument(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_csv(root, "path,label", "a.mp4,x", "b.mp4,y")
    monkeypatch.chdir(root / "in")
    assert read_manifest("../my.csv") == expected
    assert expected.clips[0].path.is_absolute()


def test_every_bad_row_is_listed_with_its_number_and_column(root: Path) -> None:
    (root / "empty.mp4").touch()
    lines = [
        "path,label,start_seconds,end_seconds,split,title",
        "a.mp4,x,,,,fine",
        "missing.mp4,x,,,,",
        "in,x,,,,",
        "empty.mp4,x,,,,",
        "",
        "../a.mp4,x,,,,",
        "b.mp4,,,,,",
        "b.mp4,x|y,,,,",
        "b.mp4,x\x07,,,,",
        "b.mp4,x,nan,,,",
        "b.mp4,x,-1,,,",
        'b.mp4,x,"1,5",,,',
        "b.mp4,x,5,5,,",
        "b.mp4,x,,0,,",
        "b.mp4,x,,,dev,",
        "a.mp4,y,,,,",
        "b.mp4,y,,,,a,b",
        ",y,,,,",
        "missing.mp4,,inf,,,",
    ]
    expected = [
        "row 3: path: expected a video file. Received: '.*missing.mp4', which does not exist",
        "row 4: path: .*which is a folder",
        "row 5: path: .*which is empty (0 bytes)",
        "row 7: path: expected a path without '..'. Received: '../a.mp4'",
        "row 8: label: no label in this row",
        "row 9: label: expected one class name, without '|'",
        "row 10: label: expected a class name without control characters",
        "row 11: start_seconds: expected seconds .* Received: 'nan'",
        "row 12: start_seconds: .*Received: '-1'",
        "row 13: start_seconds: .*Received: '1,5'",
        "row 14: end_seconds: expected more than start_seconds=5.0. Received: 5.0",
        "row 15: end_seconds: expected more than start_seconds=0.0. Received: 0.0",
        "row 16: split: expected train, validation, test or nothing. Received: 'dev'",
        "row 17: path: the same clip as row 2",
        "row 18: title: expected 6 cells as in the header. Received: 7; put texts with commas in quotes",
        "row 19: path: expected the path of a video. Received: ''",
        "row 20: path: .*does not exist",
        "row 20: start_seconds: .*Received: 'inf'",
        "row 20: label: no label in this row",
    ]
    details = faults(root, *lines)
    assert len(details) == len(expected)
    for detail, start in zip(details, expected, strict=True):
        assert_starts(detail, start)


def assert_starts(text: str, pattern: str) -> None:
    """Like `match=`, with `.*` as the only special sign."""
    position = 0
    for part in pattern.split(".*"):
        found = text.find(part, position)
        assert found >= 0 and (position or found == 0), f"{pattern!r} not in {text!r}"
        position = found + 1


def test_number_of_bad_rows_is_told(root: Path) -> None:
    with pytest.raises(InputError, match=r"^2 bad rows of 3 in my\.csv"):
        read_csv(root, "path,label", "a.mp4,x", "x.mp4,", "y.mp4,y")


def test_ranges_of_one_file_are_clips_of_one_source(root: Path) -> None:
    manifest = read_csv(
        root, "path,label,start_seconds,end_seconds", "a.mp4,x,,2", "a.mp4,y,2,4.25", "a.mp4,y,4.25,", "a.mp4,x,,"
    )
    assert [clip.id for clip in manifest.clips] == ["a.mp4@0-2", "a.mp4@2-4.25", "a.mp4@4.25-", "a.mp4"]
    assert {clip.source for clip in manifest.clips} == {"a.mp4"}


@pytest.mark.parametrize("same", ["a.mp4,x,0,2", "./a.mp4,x,,2.0", "link.mp4,x,-0,2"])
def test_the_same_clip_in_another_guise_is_refused(root: Path, same: str) -> None:
    (root / "link.mp4").symlink_to(root / "a.mp4")
    details = faults(root, "path,label,start_seconds,end_seconds", "a.mp4,y,,2", same)
    assert details[0].startswith("row 3: path: the same clip as row 2")


def test_a_file_named_like_a_range_is_no_other_clips_id(root: Path) -> None:
    write_videos(root, "a.mp4@0-2")
    details = faults(root, "path,label,end_seconds", "a.mp4,x,2", "a.mp4@0-2,y,")
    assert details[0].startswith("row 3: path: the same clip as row 2")


def test_clip_ids_keep_every_digit() -> None:
    assert clip_id("a", 12345.678, 123456789.0) == "a@12345.678-123456789"
    assert clip_id("a", 0.1, None) == "a@0.1-"
    assert clip_id("a", None, None) == "a"


def test_sidecars_serve_where_the_row_has_no_words(root: Path) -> None:
    (root / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhey\n\n2\n00:00:05,000 --> 00:00:06,000\nlate\n")
    (root / "a.txt").write_text("from the file\n")
    (root / "b.json").write_text('{"title": "of b", "tags": ["t"]}')
    manifest = read_csv(
        root, "path,label,title,description,end_seconds", "a.mp4,x,mine,,3", "b.mp4,y,,own,", "c.mp4,y,,,"
    )
    assert [clip.text for clip in manifest.clips] == [
        NO_WORDS | {"title": "mine", "description": "from the file", "subtitles": "hey"},
        NO_WORDS | {"title": "of b", "description": "own", "tags": "t"},
        NO_WORDS,
    ]


def test_subtitles_column_may_name_a_file(root: Path) -> None:
    (root / "in" / "s.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhey\n\n00:05.000 --> 00:06.000\nlate\n")
    (root / "a.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nother\n")
    manifest = read_csv(root, "path,label,subtitles,start_seconds", "a.mp4,x,in/s.vtt,3", "a.mp4,y,in/s.vtt,50")
    # Where the named file is silent, the sidecar does not speak in its place.
    assert [clip.text["subtitles"] for clip in manifest.clips] == ["late", ""]
    details = faults(root, "path,label,subtitles", "a.mp4,x,none.srt")
    assert_starts(details[0], "row 2: subtitles: cannot read .*none.srt")


def test_broken_sidecar_is_a_bad_row(root: Path) -> None:
    (root / "b.txt").write_bytes(b"caf\xe9")
    details = faults(root, "path,label", "a.mp4,x", "b.mp4,y")
    assert_starts(details[0], "row 3: path: the words beside it: .*b.txt is not UTF-8")


def test_quoted_newlines_and_long_texts(root: Path) -> None:
    limit = csv.field_size_limit()
    text = 'a "quoted"\nline, ' + "long " * 60_000
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["path", "label", "title"], ["a.mp4", "x", text], ["b.mp4", "y", ""], ["z.mp4", "y"]])
    assert faults(root, buffer.getvalue())[0].startswith("row 4: path")
    manifest = read_csv(root, buffer.getvalue().replace("z.mp4", "c.mp4"))
    assert manifest.clips[0].text["title"] == text
    assert csv.field_size_limit() == limit


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


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "row 2: expected a JSON object"),
        ("[1]", "row 2: expected a JSON object. Received: '[1]'"),
        ({"path": 3, "label": "x"}, "row 2: path: expected the path of a video. Received: 3"),
        ({"path": "a.mp4", "label": True}, "row 2: label: expected one class name. Received: True"),
        ({"path": "a.mp4", "label": ["x"]}, "row 2: label: expected one class name. Received: ['x']"),
        ({"path": "a.mp4", "label": "x\ud800"}, "row 2: label: expected a class name without control"),
        ({"path": "a.mp4", "label": "x", "title": 3}, "row 2: title: expected a text. Received: 3"),
        ({"path": "a.mp4", "label": "x", "title": "\ud800"}, "row 2: title: expected Unicode text"),
        ({"path": "a.mp4", "label": "x", "tags": {}}, "row 2: tags: expected a text or a list of texts"),
        ({"path": "a.mp4", "label": "x", "start_seconds": True}, "row 2: start_seconds: expected seconds"),
        ({"path": "a.mp4", "label": "x", "start_seconds": float("nan")}, "row 2: start_seconds: expected seconds"),
        ({"path": "a.mp4", "label": "x", "source": 1.5}, "row 2: source: expected a name. Received: 1.5"),
        ({"path": "a.mp4", "label": "x", "split": 1}, "row 2: split: expected train, validation, test"),
        ({"path": "a\0.mp4", "label": "x"}, "row 2: path: expected a video file"),
        ({"path": "a.mp4", "labels:m": ["x", ""]}, "row 2: labels:m: expected class names separated by '|'"),
        ({"path": "a.mp4", "labels:m": "x||y"}, "row 2: labels:m: expected class names separated by '|'"),
        ({"path": "a.mp4"}, "row 2: label: no label in this row"),
    ],
)
def test_bad_rows_of_jsonl(root: Path, row: object, message: str) -> None:
    with pytest.raises(InputError, match=r"^1 bad row of 2 in my\.jsonl") as caught:
        read_jsonl(root, {"path": "b.mp4", "label": "x"}, row)
    assert [detail[: len(message)] for detail in caught.value.details] == [message]


def test_jsonl_texts_keep_line_separators(root: Path) -> None:
    text = "a\u2028b\x85c"
    rows = [{"path": "a.mp4", "label": "x", "title": text}, {"path": "b.mp4", "label": "y"}]
    path = root / "my.jsonl"
    path.write_text("\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8", newline="")
    assert read_manifest(path).clips[0].text["title"] == text


def test_table_that_is_not_utf8(root: Path) -> None:
    (root / "my.csv").write_bytes("path,label\na.mp4,é\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"my\.csv is not UTF-8.*line 2"):
        read_manifest(root / "my.csv")


@pytest.mark.parametrize(("name", "reason"), [("none.csv", "does not exist"), ("a.mp4", "is something else")])
def test_other_sources_are_refused(root: Path, name: str, reason: str) -> None:
    with pytest.raises(InputError, match=rf"expected a folder of class folders, a \.csv or .*{name}, which {reason}"):
        read_manifest(root / name)


# ---- folders ----


def folder_faults(root: Path) -> Sequence[str]:
    with pytest.raises(InputError, match=r"bad of \d+ videos in") as caught:
        read_manifest(root)
    return caught.value.details


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


def test_links_that_lead_out_of_a_class_folder_are_refused(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4", "elsewhere/.keep")
    root, outside = tmp_path / "y", tmp_path.parent / f"{tmp_path.name}-outside"
    write_videos(outside, "o.mp4")
    (root / "out.mp4").symlink_to(outside / "o.mp4")
    (root / "other_class.mp4").symlink_to(tmp_path / "x" / "a.mp4")
    (root / "dangling.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (root / "folder").symlink_to(outside)
    details = folder_faults(tmp_path)
    assert [detail.split(": ")[0] for detail in details] == [
        "y/dangling.mp4",
        "y/other_class.mp4",
        "y/out.mp4",
        "y/folder",
    ]
    assert all("a link that leads out of its class folder" in detail for detail in details)


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


def test_manifest_inside_a_folder_goes_before_the_folders(tmp_path: Path) -> None:
    write_videos(tmp_path, "x/a.mp4", "y/b.mp4")
    (tmp_path / "clips.csv").write_text("path,label,source\nx/a.mp4,one,s\ny/b.mp4,two,s\n")
    manifest = read_manifest(tmp_path)
    assert manifest.labels == {"label": ["one", "two"]}
    assert {clip.source for clip in manifest.clips} == {"s"}
    (tmp_path / "clips.jsonl").touch()
    with pytest.raises(InputError, match=r"Received: clips\.csv and clips\.jsonl"):
        read_manifest(tmp_path)


@pytest.mark.skipif(not REAL_CLIPS.is_file(), reason=f"the real clips are not at {REAL_CLIPS}")
def test_real_clips() -> None:
    manifest = read_manifest(REAL_CLIPS)
    with REAL_CLIPS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(clip.id, clip.labels["label"], clip.source) for clip in manifest.clips] == [
        (row["path"], row["label"], row["source"]) for row in rows
    ]
    assert len(rows) == 240
    assert manifest.labels == {"label": ["fight", "noFight"]}
