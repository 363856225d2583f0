"""Subtitle files, SubRip (.srt) and WebVTT (.vtt) -> cues without formatting."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pysubs2
from pysubs2.exceptions import Pysubs2Error

from vidmodel_tf.errors import InputError
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.rolling import Shown, each_line_once
from vidmodel_tf.words.words_file import read_words_file

SUBTITLE_SUFFIXES = (".srt", ".vtt")

# Only tags that such files have: in "a <b and c> d" there is none. Time stamps inside a line, and SubStation's
# overrides such as {\an8}, are markup too.
_MARKUP = re.compile(
    r"</?(?:b|i|u|s|c|em|strong|strike|ruby|rt|rp)(?:\.[^\s<>]*)?\s*/?>"
    r"|</?(?:font|span|p|div|v|lang)(?:[.\s][^<>]*)?>"
    r"|<(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}>"
    r"|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_SPACE = re.compile(r"<[bB][rR]\s*/?>|\\[Nh]")
# WebVTT's comments, which run to the next empty line; then what may stand above a line of times: a number, and in
# WebVTT, after an empty line, a name. pysubs2 would add them all to the words of the cue before.
_COMMENT = re.compile(r"(?<=\n\n)NOTE(?=[ \t\n]|\Z).*?(?=\n\n|\Z)", re.DOTALL)
_NAME = re.compile(r"(?<=\n\n)(?:(?!-->)[^\n])+\n(?=[^\n]*-->)")
_NUMBER = re.compile(r"^[ \t]*\d+[ \t]*\n(?=[^\n]*-->)", re.MULTILINE)

# pysubs2 finds tags, times and numbers of cues in words too. In the lines of words all that it could take for one is
# replaced by Unicode's noncharacters, which no text holds, and put back afterwards.
_SHIELDED = {character: chr(0xFDD0 + index) for index, character in enumerate("<>{}:\\")}
_SHIELD = str.maketrans(_SHIELDED)
_UNSHIELD = str.maketrans({shield: character for character, shield in _SHIELDED.items()} | {"\ufdef": ""})


def read_subtitles(path: Path, source: str) -> tuple[Cue, ...]:
    """The cues of an .srt or .vtt file in its order: each line once, also where captions roll.

    Args:
        path: The file, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.
        source: The `Cue.source` of all of them.

    Raises:
        InputError: The file cannot be read, is in another encoding, or no line of times is in it though it is not
            empty.
    """
    text = re.sub(r"\r\n?", "\n", read_words_file(path))
    shown = _parse(text, path)
    return tuple(
        Cue(part.start_seconds, part.end_seconds, "subtitles", " ".join(part.lines), source)
        for part in each_line_once(shown)
    )


def subtitle_path(value: str, folder: Path) -> Path | None:
    """The file that a value of the field `subtitles` names, from `folder`; None: the value is the words themselves.

    Raises:
        InputError: The path has '..' in it.
    """
    name = value.strip()
    if not name.lower().endswith(SUBTITLE_SUFFIXES) or "\n" in name:
        return None
    if ".." in Path(name).parts:
        raise InputError(f"expected a path without '..'. Received: {name!r}; give the absolute path")
    return folder / name


def plain_lines(text: str) -> Iterator[str]:
    """The lines of a subtitle without markup, none of them blank.

    Example:
        >>> list(plain_lines("<i>Hello</i> &amp; a <b and c> d<br>你好"))
        ['Hello & a <b and c> d', '你好']
    """
    for line in _MARKUP.sub("", re.sub(r"<br\s*/?>", "\n", text, flags=re.IGNORECASE)).splitlines():
        if words := " ".join(html.unescape(line).split()):
            yield words


def _parse(text: str, path: Path) -> list[Shown]:
    suffix = path.suffix.lower()
    if suffix == ".vtt":
        text = _NAME.sub("", _COMMENT.sub("", text))
    shielded = "\n".join(_shield(line) for line in _NUMBER.sub("", text).split("\n"))
    try:
        events = pysubs2.SSAFile.from_string(shielded, format_=suffix.removeprefix(".")).events
    except (Pysubs2Error, ValueError, OverflowError) as error:
        raise InputError(f"{path} is not a {suffix} file: {error}") from None
    if not events and not _is_empty(text):
        raise InputError(f"{path} is not a {suffix} file: no line of times (00:00:01,000 --> 00:00:02,000) is in it")
    return [Shown(event.start / 1000, event.end / 1000, tuple(_lines(event.plaintext))) for event in events]


def _shield(line: str) -> str:
    """A line of words as pysubs2 lets it pass: the mark at its start keeps a line of digits from being a number."""
    if "-->" in line or not line.strip():
        return line
    return "\ufdef" + _MARKUP.sub("", _SPACE.sub(" ", line)).translate(_SHIELD)


def _lines(text: str) -> Iterator[str]:
    for line in text.translate(_UNSHIELD).split("\n"):
        if words := " ".join(html.unescape(line).split()):
            yield words


def _is_empty(text: str) -> bool:
    # Speech recognition writes such a file for a clip in which nobody speaks.
    lines = text.strip().splitlines()
    return not lines or (len(lines) == 1 and lines[0].startswith("WEBVTT"))
