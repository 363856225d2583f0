from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ffmpeg_program import ffmpeg
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.subtitles import read_subtitles, subtitle_path

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

AUTO = [  # as YouTube rolls its automatic captions: a line comes up word by word, stays for a moment, moves up
    ("00:00:00.469 --> 00:00:03.169", " ", "wel<00:00:01.469><c>come</c><00:00:01.620><c> to</c>"),
    ("00:00:03.169 --> 00:00:03.179", "welcome to", " "),
    ("00:00:03.179 --> 00:00:05.000", "welcome to", "the<00:00:03.500><c> quick</c><00:00:04.000><c> fox</c>"),
    ("00:00:05.000 --> 00:00:05.010", "the quick fox", " "),
    ("00:00:05.010 --> 00:00:08.000", "the quick fox", "jumps"),
]


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def words(path: Path) -> str:
    return " ".join(cue.text for cue in read_subtitles(path, ""))


def cue(*lines: str, suffix: str = ".srt") -> str:
    return ("WEBVTT\n\n00:01.000 --> 00:02.000\n" if suffix == ".vtt" else "1\n00:00:01,000 --> 00:00:02,000\n") + (
        "\n".join(lines) + "\n"
    )


def test_cues_with_times_and_source(tmp_path: Path) -> None:
    cues = read_subtitles(write(tmp_path, "a.srt", SRT), "sidecar:a.srt")
    assert [(cue.start_seconds, cue.end_seconds, cue.text) for cue in cues] == [
        (0.0, 2.0, "Hello there second line"),
        (3.0, 4.0, "1984 was"),
        (60.5, 61.0, "Привет & bye"),
    ]
    assert {(cue.field, cue.source) for cue in cues} == {("subtitles", "sidecar:a.srt")}


def test_vtt_without_formatting_comments_and_names(tmp_path: Path) -> None:
    assert words(write(tmp_path, "a.vtt", VTT)) == "We are here 3 < 4 - I <3 you - 日本語"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("name", "content"), [("a.srt", SRT), ("a.VTT", VTT)])
def test_encodings_and_line_ends_change_nothing(
    tmp_path: Path, encoding: str, newline: str, name: str, content: str
) -> None:
    plain = read_subtitles(write(tmp_path, name, content), "")
    assert read_subtitles(write(tmp_path, name, content.replace("\n", newline).encode(encoding)), "") == plain


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["the quick<00:00:01.500><c> brown</c><00:00:02.000><c> fox</c>"], "the quick brown fox"),
        (["from 00:00:01.000 to 00:00:02.000"], "from 00:00:01.000 to 00:00:02.000"),
        (["at 00:00:01,000 and 00:00:02,000"], "at 00:00:01,000 and 00:00:02,000"),
        (["a < b and c > d, I <3 you"], "a < b and c > d, I <3 you"),
        (["if x <y and z> w", "1 <b 2> 1"], "if x <y and z> w 1 <b 2> 1"),
        (["<b>bold</b> <I>italic</I> <u>u</u><br>new <font face='x'>font</font >"], "bold italic u new font"),
        (["<c.colorE5E5E5>grey</c> <v.loud Mary Ann>said</v> <b.x>b</b>"], "grey said b"),
        (["{\\an8}up {\\pos(1,2)}there {laughs}"], "up there {laughs}"),
        (["one\\Ntwo\\hthree C:\\new"], "one two three C:\\new"),
        (["In the year", "1984"], "In the year 1984"),
        (["1984"], "1984"),
        (["A --> B"], "A --> B"),
        (["R&amp;B &lt;i&gt;"], "R&B <i>"),
    ],
)
def test_words_and_markup_are_told_apart(tmp_path: Path, suffix: str, lines: list[str], expected: str) -> None:
    assert words(write(tmp_path, f"a{suffix}", cue(*lines, suffix=suffix))) == expected


def test_numbers_at_the_end_of_a_cue_are_words(tmp_path: Path) -> None:
    content = "WEBVTT\n\n00:01.000 --> 00:02.000\nroom\n101\n\n00:03.000 --> 00:04.000\n7\n"
    assert words(write(tmp_path, "a.vtt", content)) == "room 101 7"


def test_numbers_of_cues_without_empty_lines_between_them(tmp_path: Path) -> None:
    content = "1\n00:00:01,000 --> 00:00:02,000\nhello\n2\n00:00:03,000 --> 00:00:04,000\nworld\n"
    assert words(write(tmp_path, "a.srt", content)) == "hello world"


@pytest.mark.parametrize("suffix", [".vtt", ".srt"])
def test_rolling_captions_say_each_line_once(tmp_path: Path, suffix: str) -> None:
    parts = ["WEBVTT\nKind: captions\nLanguage: en\n" if suffix == ".vtt" else ""]
    for number, (times, *lines) in enumerate(AUTO, 1):
        if suffix == ".vtt":
            parts.append(f"{times} align:start position:0%\n" + "\n".join(lines) + "\n")
        else:  # as ffmpeg converts them: no inline stamps
            plain = [line.replace("<c>", "").replace("</c>", "") for line in lines]
            plain = ["".join(part.rpartition(">")[2] for part in line.split("<")) for line in plain]
            parts.append(f"{number}\n{times.replace('.', ',')}\n" + "\n".join(plain) + "\n")
    cues = read_subtitles(write(tmp_path, f"a{suffix}", "\n".join(parts)), "")
    assert [(cue.start_seconds, cue.text) for cue in cues] == [
        (0.469, "welcome to"),
        (3.179, "the quick fox"),
        (5.01, "jumps"),
    ]


def test_rolling_captions_converted_by_ffmpeg(tmp_path: Path) -> None:
    content = "WEBVTT\n\n" + "\n".join(f"{times}\n" + "\n".join(lines) + "\n" for times, *lines in AUTO)
    source = write(tmp_path, "a.vtt", content)
    ffmpeg("-i", source, tmp_path / "a.srt")
    assert words(tmp_path / "a.srt") == words(source) == "welcome to the quick fox jumps"


@pytest.mark.parametrize("content", ["", "\n\n", "WEBVTT\n\n", "\ufeffWEBVTT\r\n"])
def test_subtitles_of_silence_are_no_fault(tmp_path: Path, content: str) -> None:
    assert read_subtitles(write(tmp_path, "a.vtt", content), "") == ()


@pytest.mark.parametrize(
    ("name", "content"), [("a.srt", "no times\nat all"), ("a.vtt", "1\n00:aa --> 3\nfoo"), ("a.srt", "A --> B")]
)
def test_subtitles_without_times_are_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(InputError, match=rf"{name} is not a \.(srt|vtt) file: no line of times"):
        read_subtitles(write(tmp_path, name, content), "")


def test_other_encodings_are_refused_by_name_and_line(tmp_path: Path) -> None:
    content = cue("你好世界").encode("gbk")
    with pytest.raises(InputError, match=r"a\.srt is not UTF-8: .*in line 3; save the file as UTF-8"):
        read_subtitles(write(tmp_path, "a.srt", content), "")


PIECES = [
    "\n",
    "\n\n",
    "1",
    "00:00:01,000",
    "00:01.000",
    " --> ",
    "WEBVTT",
    "NOTE",
    "<i>",
    "<00:00:01.000>",
    "{",
    "\\N",
    "9" * 30,
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8)), st.sampled_from([".srt", ".vtt"]))
def test_any_text_gives_cues_or_one_line(tmp_path: Path, pieces: list[str], suffix: str) -> None:
    path = write(tmp_path, f"a{suffix}", "".join(pieces).encode(errors="surrogatepass"))
    try:
        assert all(cue.text.strip() for cue in read_subtitles(path, ""))
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("value", ["words", "say a.srt\nand more.srt", "ends in .srt, not", ""])
def test_words_that_name_no_file(tmp_path: Path, value: str) -> None:
    assert subtitle_path(value, tmp_path) is None


def test_the_path_of_a_named_file(tmp_path: Path) -> None:
    assert subtitle_path(" in/a.VTT ", tmp_path) == tmp_path / "in" / "a.VTT"
    with pytest.raises(InputError, match=r"expected a path without '\.\.'"):
        subtitle_path("../a.vtt", tmp_path)
