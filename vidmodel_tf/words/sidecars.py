"""The words that lie beside a clip: subtitles (.srt, .vtt), a description (.txt), or any field (.json)."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pysubs2

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import read_utf8

SUBTITLE_SUFFIXES = (".srt", ".vtt")

# What pysubs2 leaves in place: WebVTT's time stamps inside a line, and tags that it does not know (<ruby>, <lang en>).
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>")
# WebVTT's comments, which run to the next empty line, and the names of cues: pysubs2 would add both to the words of
# the cue above them.
_COMMENT = re.compile(r"(?<=\n\n)NOTE(?=[ \t\n]|\Z).*?(?=\n\n|\Z)", re.DOTALL)
_CUE_NAME = re.compile(r"(?<=\n\n)(?:(?!-->)[^\n])+\n(?=[^\n]*-->)")


def read_sidecar_words(
    path: Path, start_seconds: float | None = None, end_seconds: float | None = None
) -> dict[str, str]:
    """The words in the files that have a video's name with the suffix .srt, .vtt, .txt or .json.

    Args:
        path: The video. It need not exist.
        start_seconds: Where the clip starts; of subtitles, only what overlaps the clip is kept.
        end_seconds: Where it ends (half open).

    Returns:
        Every name in `config.TEXT_FIELDS`; "" where no file gives it.

    Raises:
        InputError: A file is not UTF-8 (a byte order mark is fine) or not what its suffix says.
    """
    return complete_words({}, path, start_seconds, end_seconds)


def complete_words(
    words: Mapping[str, str], path: Path, start_seconds: float | None = None, end_seconds: float | None = None
) -> dict[str, str]:
    """Adds to `words` what they lack from the files beside the video; a file that is not needed is not read.

    A file made for one field (.srt or .vtt, .txt) goes before the .json.
    """
    words = {field: words.get(field, "") for field in TEXT_FIELDS}
    if not words["subtitles"].strip() and (sidecar := _beside(path, *SUBTITLE_SUFFIXES)):
        words["subtitles"] = read_subtitles(sidecar, start_seconds, end_seconds)
    if not words["description"].strip() and (sidecar := _beside(path, ".txt")):
        words["description"] = read_utf8(sidecar).strip()
    missing = [field for field in TEXT_FIELDS if not words[field].strip()]
    if missing and (sidecar := _beside(path, ".json")):
        found = _read_json_words(sidecar, start_seconds, end_seconds)
        words |= {field: found[field] for field in missing}
    return words


def read_subtitles(path: Path, start_seconds: float | None = None, end_seconds: float | None = None) -> str:
    """The words of an .srt or .vtt file without formatting, joined by spaces.

    Args:
        path: The file.
        start_seconds: Only events that overlap the range from here
        end_seconds: to here (half open) are kept; None: no limit.

    Raises:
        InputError: The file cannot be read, is not UTF-8, or no event is found in it though it is not empty.
    """
    text = read_utf8(path).replace("\r\n", "\n")
    suffix = path.suffix.lower()
    if suffix == ".vtt":
        text = _CUE_NAME.sub("", _COMMENT.sub("", text))
    try:
        events = pysubs2.SSAFile.from_string(text, format_=suffix.removeprefix(".")).events
    except (pysubs2.Pysubs2Error, ValueError, OverflowError) as error:
        raise InputError(f"{path} is not a {suffix} file: {error}") from None
    if not events and not _is_empty_subtitles(text):
        raise InputError(f"{path} is not a {suffix} file: no line of times (00:00:01,000 --> 00:00:02,000) is in it")
    kept = [event for event in events if _overlaps(event.start / 1000, event.end / 1000, start_seconds, end_seconds)]
    return " ".join(" ".join(_plain(event.plaintext) for event in kept).split())


def read_words_or_subtitles(
    value: str, folder: Path, start_seconds: float | None = None, end_seconds: float | None = None
) -> str:
    """A value of the field `subtitles`: the words themselves, or the path of an .srt or .vtt file from `folder`."""
    name = value.strip()
    if not name.lower().endswith(SUBTITLE_SUFFIXES) or "\n" in name:
        return value
    if ".." in Path(name).parts:
        raise InputError(f"expected a path without '..'. Received: {name!r}; give the absolute path")
    return read_subtitles(folder / name, start_seconds, end_seconds)


def check_text(value: Any, *, allow_list: bool = False) -> str:
    """One text field as JSON or CSV gives it: a text, nothing, or (tags) a list of texts, which is joined by commas.

    Raises:
        InputError: It is something else, or holds half a surrogate pair, which no UTF-8 file can keep.
    """
    if value is None:
        return ""
    if allow_list and isinstance(value, list):
        return ", ".join(text for item in value if (text := check_text(item)))
    if not isinstance(value, str):
        kinds = "a text or a list of texts" if allow_list else "a text"
        raise InputError(f"expected {kinds}. Received: {value!r}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"expected Unicode text. Received: {value!r}, with half of a surrogate pair in it")
    return value


def _beside(path: Path, *suffixes: str) -> Path | None:
    candidates = (path.with_suffix(case) for suffix in suffixes for case in (suffix, suffix.upper()))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read_json_words(path: Path, start_seconds: float | None, end_seconds: float | None) -> dict[str, str]:
    try:
        values = json.loads(read_utf8(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected an object with some of {', '.join(TEXT_FIELDS)}. Received: {values!r:.80}")
    words = {}
    for field in TEXT_FIELDS:
        try:
            words[field] = check_text(values.get(field), allow_list=field == "tags")
        except InputError as error:
            raise InputError(f"{path}: {field}: {error}") from None
    words["subtitles"] = read_words_or_subtitles(words["subtitles"], path.parent, start_seconds, end_seconds)
    return words


def _is_empty_subtitles(text: str) -> bool:
    # Speech recognition writes such a file for a clip in which nobody speaks.
    lines = text.strip().splitlines()
    return not lines or (len(lines) == 1 and lines[0].startswith("WEBVTT"))


def _overlaps(event_start: float, event_end: float, start_seconds: float | None, end_seconds: float | None) -> bool:
    start = 0.0 if start_seconds is None else start_seconds
    end = float("inf") if end_seconds is None else end_seconds
    # The second half of the "or" keeps an event without duration.
    return event_start < end and (event_end > start or event_start >= start)


def _plain(text: str) -> str:
    return html.unescape(_MARKUP.sub("", text))
