from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import pytest

from tests.manifests import NO_WORDS, assert_starts, faults, read_csv, read_jsonl, write_videos
from vidmodel_tf.clips.manifest.read import read_manifest
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError

# fmt: off
PRINTED_LISTS = [
    "['cat', 'dog']", "['cat']", '["cat"]', '{"choices": ["cat", "dog"]}', "('cat', 'dog')", "{'cat'}", "[]", "{}",
    "['cat' 'dog']", "array(['cat'], dtype=object)", "[1, 2]", "[0. 1.]", "(1, 2)", "[['cat']]",
]
# fmt: on


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_videos(tmp_path, "a.mp4", "b.mp4", "c.mp4", "in/d.mp4")
    return tmp_path


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
        "words_from": dict.fromkeys(("title", "description", "tags", "subtitles", "speech"), "manifest"),
        "open_fields": frozenset({"screen_text"}),
        "fault": None,
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


def test_absolute_paths_inside_and_outside(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    write_videos(other, "o.mp4")
    manifest = read_csv(root, "path,label", f"{root}/in/d.mp4,x", f"{other}/o.mp4,y")
    assert [clip.id for clip in manifest.clips] == ["in/d.mp4", f"{other}/o.mp4"]
    assert [clip.path for clip in manifest.clips] == [root / "in" / "d.mp4", other / "o.mp4"]


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
    assert [clip.words_from for clip in manifest.clips] == [
        {"title": "manifest", "description": "sidecar:a.txt", "subtitles": "sidecar:a.srt"},
        {"description": "manifest", "title": "sidecar:b.json", "tags": "sidecar:b.json"},
        {},
    ]


def test_subtitles_column_may_name_a_file(root: Path) -> None:
    (root / "in" / "s.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nhey\n\n00:05.000 --> 00:06.000\nlate\n")
    (root / "a.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nother\n")
    manifest = read_csv(root, "path,label,subtitles,start_seconds", "a.mp4,x,in/s.vtt,3", "a.mp4,y,in/s.vtt,50")
    # Where the named file is silent, the sidecar does not speak in its place.
    assert [clip.text["subtitles"] for clip in manifest.clips] == ["late", ""]
    assert [clip.words_from for clip in manifest.clips] == [{"subtitles": "manifest"}, {}]
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


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_with_a_mark_is_read(root: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    manifest = read_csv(root, f"{mark}path,label,title", "a.mp4,драка,标题", "b.mp4,平和,", encoding=encoding)
    assert manifest.labels == {"label": ["драка", "平和"]}
    assert manifest.clips[0].text["title"] == "标题"


@pytest.mark.parametrize("cell", PRINTED_LISTS)
@pytest.mark.parametrize("column", ["label", "label:x", "labels:x"])
def test_lists_in_a_cell_are_refused(root: Path, column: str, cell: str) -> None:
    path = root / "my.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path", column], ["a.mp4", cell], ["b.mp4", "x"], ["c.mp4", "y"]])
    with pytest.raises(InputError, match=r"^1 bad row of 3") as caught:
        read_manifest(path)
    assert_starts(caught.value.details[0], f"row 2: {column}: expected .*separate.*'|'")


@pytest.mark.parametrize("name", ["[unknown]", "(other)", "(2 people)", "a [b]", "don't", '"quoted"', "{x}", "a, b"])
def test_class_names_with_brackets_and_commas_stay(root: Path, name: str) -> None:
    rows = [{"path": "a.mp4", "label": name}, {"path": "b.mp4", "label": "y"}]
    assert name in read_jsonl(root, *rows).labels["label"]


@pytest.mark.parametrize("cell", ["cat,dog", "cat, dog", "cat;dog", "[cat, dog]"])
def test_several_classes_separated_otherwise_are_refused(root: Path, cell: str) -> None:
    details = faults(root, "path,labels:x", f'a.mp4,"{cell}"', "b.mp4,cat", "c.mp4,")
    assert_starts(details[0], "row 2: labels:x: expected class names separated by '|'. .*or call the column label:HEAD")
    # Where the column shows that its writer knows the separator, commas belong to names.
    for other in ("cat|dog", "|"):
        manifest = read_csv(root, "path,labels:x", f'a.mp4,"{cell}"', f"b.mp4,{other}")
        assert cell in manifest.labels["x"]


def test_lists_of_json_are_read_and_objects_refused(root: Path) -> None:
    manifest = read_jsonl(root, {"path": "a.mp4", "labels:x": ["a, b", "c"]}, {"path": "b.mp4", "labels:x": "d, e"})
    assert manifest.labels == {"x": ["a, b", "c", "d, e"]}
    with pytest.raises(InputError) as caught:
        read_jsonl(root, {"path": "a.mp4", "labels:x": {"choices": ["a", "b"]}})
    assert_starts(caught.value.details[0], "row 1: labels:x: expected one class name. Received: {'choices'")


@pytest.mark.parametrize("spelling", ["nan", "NaN", "<NA>", " nan "])
def test_missing_values_of_pandas_are_no_names_and_no_words(root: Path, spelling: str) -> None:
    nan = spelling
    lines = [f"a.mp4,cat,{nan},{nan},{nan}", f"b.mp4,{nan},sad,None,x", f"c.mp4,dog,glad,{nan},"]
    manifest = read_csv(root, "path,label,label:mood,title,source", *lines)
    assert manifest.labels == {"label": ["cat", "dog"], "mood": ["glad", "sad"]}
    assert all(clip.text == NO_WORDS for clip in manifest.clips)
    assert manifest.clips[0].source == "a.mp4"
    (warning,) = manifest.warnings
    assert warning.startswith("cells that stand for a missing value were read as empty: ")
    for part in (f"1 {spelling.strip()!r} in label,", f"2 {spelling.strip()!r} in title", "1 'None' in title"):
        assert part in f"{warning},"


def test_missing_numbers_of_json(root: Path) -> None:
    rows = [{"path": f"{name}.mp4", "label": name, "title": float("nan"), "tags": float("nan")} for name in "ab"]
    manifest = read_jsonl(root, *rows)
    assert all(clip.text == NO_WORDS for clip in manifest.clips)
    assert manifest.warnings


def test_a_row_without_a_label_says_what_stood_there(root: Path) -> None:
    assert faults(root, "path,label,title", "a.mp4,cat,", "b.mp4,nan,x", "c.mp4,dog,") == (
        "row 3: label: no label in this row ('nan' stands for none); label it for at least one head, or remove it",
    )
    details = faults(root, "path,labels:x", "a.mp4,cat|nan")
    assert_starts(
        details[0], "row 2: labels:x: expected class names. Received: 'nan', which stands for a missing value"
    )


def test_a_class_may_be_called_none(root: Path) -> None:
    assert read_csv(root, "path,label", "a.mp4,None", "b.mp4,NA").labels == {"label": ["NA", "None"]}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("https://x.org/a.mp4", "Received: 'https://x.org/a.mp4', an address; download it"),
        ("ftp://host/a.mp4", "Received: 'ftp://host/a.mp4', an address; download it"),
        ("file:///a.mp4", "an address"),
        (r"in\d.mp4", r"expected a path with '/'. Received: 'in\\d.mp4', with '\' as on Windows; write '/'"),
        (r"C:\clips\d.mp4", "as on Windows"),
        ("pointer.mp4", "a pointer of Git LFS in its place; run 'git lfs pull'"),
        ("broken.mp4", "a link to '/no such folder/x.mp4', which does not exist"),
    ],
)
def test_paths_of_things_that_are_no_files(root: Path, path: str, message: str) -> None:
    (root / "pointer.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    (root / "broken.mp4").symlink_to("/no such folder/x.mp4")
    (detail,) = faults(root, "path,label", f"{path},x", "b.mp4,y")
    assert detail.startswith("row 2: path: expected ")
    assert message in detail


def test_a_backslash_in_the_name_of_a_file(root: Path) -> None:
    write_videos(root, "a\\b.mp4")
    assert read_csv(root, "path,label", "a\\b.mp4,x", "b.mp4,y").clips[0].id == "a\\b.mp4"


def test_links_beside_videos_stay_inside_the_folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "o.txt"
    outside.write_text("secret")
    (root / "a.txt").symlink_to(outside)
    details = faults(root, "path,label", "a.mp4,x", "b.mp4,y")
    assert_starts(details[0], "row 2: path: the words beside it: .*a.txt leads out of .*set prepare.follow_links=true")
    manifest = read_manifest(root / "my.csv", PrepareConfig(follow_links=True))
    assert manifest.clips[0].text["description"] == "secret"


def test_subtitles_named_in_a_row_may_lie_anywhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    named = tmp_path_factory.mktemp("outside") / "o.srt"
    named.write_text("1\n00:00:01,000 --> 00:00:02,000\nhey\n")
    (root / "link.srt").symlink_to(named)
    manifest = read_csv(root, "path,label,subtitles", f"a.mp4,x,{named}", "b.mp4,y,link.srt")
    assert [clip.text["subtitles"] for clip in manifest.clips] == ["hey", "hey"]
