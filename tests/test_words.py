from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import read_utf8
from vidmodel_tf.words.sidecars import (
    check_text,
    complete_words,
    read_sidecar_words,
    read_subtitles,
    read_words_or_subtitles,
)

NO_WORDS = dict.fromkeys(TEXT_FIELDS, "")

SRT = """1
00:00:00,000 --> 00:00:02,000
<i>Hello</i> {\\an8}there
second line

2
00:00:03,000 --> 00:00:04,000
1984 <font color="red">was</font>

3
00:01:00,500 --> 00:01:01,000
Привет &amp; bye
"""

VTT = """WEBVTT - a title

STYLE
::cue(b) { color: red }

NOTE a comment
of two lines

first
00:00.000 --> 00:02.000 align:start
<v Roger>We <00:01.000><c.yellow>are</c> <lang en>here</lang> 3 &lt; 4

NOTE another

the second cue
00:03.000 --> 00:04.000
- I <3 you
- 日本語
"""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "clip.v1.mp4"


def beside(video: Path, suffix: str, content: str | bytes) -> Path:
    path = video.with_suffix(suffix)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_no_sidecar_gives_every_field_empty(video: Path) -> None:
    assert read_sidecar_words(video) == NO_WORDS


def test_srt_without_formatting(video: Path) -> None:
    beside(video, ".srt", SRT)
    assert read_sidecar_words(video) == NO_WORDS | {"subtitles": "Hello there second line 1984 was Привет & bye"}


def test_vtt_without_formatting_comments_and_names(video: Path) -> None:
    path = beside(video, ".vtt", VTT)
    assert read_subtitles(path) == "We are here 3 < 4 - I <3 you - 日本語"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("suffix", "content"), [(".srt", SRT), (".vtt", VTT)])
def test_byte_order_mark_and_newlines_change_nothing(
    video: Path, mark: bytes, newline: str, suffix: str, content: str
) -> None:
    plain = read_subtitles(beside(video, suffix, content))
    assert read_subtitles(beside(video, suffix, mark + content.replace("\n", newline).encode())) == plain


@pytest.mark.parametrize(
    ("start_seconds", "end_seconds", "expected"),
    [
        (None, None, "one two three instant"),
        (0.0, 1.0, "one"),
        (None, 1.5, "one two"),
        (1.0, 2.0, "two"),  # half open at both ends: "one" ends and "three" starts at the border
        (1.9, 2.1, "two three"),
        (2.5, None, "three instant"),
        (3.0, 5.0, ""),
        (3.0, 5.1, "instant"),
        (5.0, 9.0, "instant"),  # without duration, at the very start of the range
        (3.0, 4.9, ""),
        (100.0, None, ""),
    ],
)
def test_only_events_that_overlap_the_clip(
    video: Path, start_seconds: float | None, end_seconds: float | None, expected: str
) -> None:
    times = {"one": (0, 1), "two": (1, 2), "three": (2, 3), "instant": (5, 5)}
    lines = [f"00:00:0{start},000 --> 00:00:0{end},000\n{word}\n" for word, (start, end) in times.items()]
    beside(video, ".srt", "\n".join(lines))
    assert read_sidecar_words(video, start_seconds, end_seconds)["subtitles"] == expected


@pytest.mark.parametrize("content", ["", "\n\n", "WEBVTT\n\n"])
def test_subtitles_of_silence_are_no_fault(video: Path, content: str) -> None:
    beside(video, ".vtt", content)
    assert read_sidecar_words(video)["subtitles"] == ""


@pytest.mark.parametrize(("suffix", "content"), [(".srt", "no times\nat all"), (".vtt", "1\n00:aa --> 3\nfoo")])
def test_subtitles_without_times_are_refused(video: Path, suffix: str, content: str) -> None:
    beside(video, suffix, content)
    with pytest.raises(InputError, match=rf"clip\.v1\{suffix} is not a \{suffix} file: no line of times"):
        read_sidecar_words(video)


def test_each_field_from_its_file_and_json_for_the_rest(video: Path) -> None:
    beside(video, ".SRT", SRT)  # as cameras write it
    beside(video, ".txt", "﻿ A fight.\nIn a street.\n")
    values = {"title": "Gasse 🎬", "tags": ["a, b", "", "c"], "description": "unused", "subtitles": "unused", "id": 3}
    beside(video, ".json", json.dumps(values))
    words = read_sidecar_words(video)
    assert words["title"] == "Gasse 🎬"
    assert words["tags"] == "a, b, c"
    assert words["description"] == "A fight.\nIn a street."
    assert words["subtitles"].startswith("Hello there")


def test_json_may_name_a_subtitle_file(video: Path) -> None:
    (video.parent / "other.srt").write_text(SRT, encoding="utf-8")
    beside(video, ".json", json.dumps({"subtitles": "other.srt"}))
    assert read_sidecar_words(video, 2.5, 10)["subtitles"] == "1984 was"


def test_given_words_go_first_and_unneeded_files_are_not_read(video: Path) -> None:
    beside(video, ".srt", b"\xff broken")
    beside(video, ".txt", b"\xff broken")
    beside(video, ".json", b"\xff broken")
    given = {field: f"my {field}" for field in TEXT_FIELDS}
    assert complete_words(given, video) == given
    with pytest.raises(InputError, match=r"clip\.v1\.srt is not UTF-8"):
        complete_words(given | {"subtitles": " "}, video)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[1]",
            r"expected an object with some of title, description, tags, subtitles, screen_text, speech\. Rec.*: \[1\]",
        ),
        ("{", r"clip\.v1\.json is not JSON"),
        ('{"title": 3}', r"title: expected a text. Received: 3"),
        ('{"tags": [3]}', r"tags: expected a text. Received: 3"),
        ('{"title": ["a"]}', r"title: expected a text. Received: \['a'\]"),
        (r'{"title": "a\ud800"}', r"title: expected Unicode text.*surrogate"),
        ('{"subtitles": "none.srt"}', r"cannot read .*none\.srt: No such file"),
    ],
)
def test_broken_json_is_named(video: Path, content: str, message: str) -> None:
    beside(video, ".json", content)
    with pytest.raises(InputError, match=message) as caught:
        read_sidecar_words(video)
    assert str(video.parent) in str(caught.value)


def test_null_in_json_is_no_text(video: Path) -> None:
    beside(video, ".json", '{"title": null, "tags": null}')
    assert read_sidecar_words(video) == NO_WORDS


def test_not_utf8_names_the_line(video: Path) -> None:
    path = beside(video, ".txt", b"ok\nna\xefve")
    with pytest.raises(InputError, match=r"clip\.v1\.txt is not UTF-8.*byte 0xef in line 2; save the file as UTF-8"):
        read_utf8(path)


@pytest.mark.parametrize("value", ["words", "say a.srt\nand more.srt", "ends in .srt, not", ""])
def test_words_that_are_no_path_stay_as_they_are(tmp_path: Path, value: str) -> None:
    assert read_words_or_subtitles(value, tmp_path) == value


def test_subtitle_path_may_not_climb(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a path without '\.\.'"):
        read_words_or_subtitles("../a.vtt", tmp_path)


def test_text_that_is_no_text_is_refused() -> None:
    assert check_text(["a", "b"], allow_list=True) == "a, b"
    with pytest.raises(InputError, match=r"expected a text or a list of texts. Received: \{\}"):
        check_text({}, allow_list=True)
