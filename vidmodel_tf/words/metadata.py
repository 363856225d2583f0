"""What a video file says about itself: title, description and tags, chapters, and what a downloader attached."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping

from av.container import InputContainer
from av.stream import AttachmentStream

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.containers import zero_seconds
from vidmodel_tf.words.cues import Cue, untimed
from vidmodel_tf.words.finder import WordsWarning
from vidmodel_tf.words.json_words import json_text, parse_json_object

# The names under which FFmpeg gives them, the best first. Not the comment: downloaders put an address there.
_KEYS = {"title": ("title",), "description": ("description", "synopsis"), "tags": ("keywords", "genre")}
_APPLE = "com.apple.quicktime."

# What cameras, editors and phones write by themselves, without its digits and signs.
# fmt: off
_GENERIC = {
    "", "video", "videos", "my video", "movie", "my movie", "clip", "film", "title", "no title", "untitled",
    "untitled video", "untitled project", "untitled sequence", "new project", "project", "sequence", "unknown", "other",
    "none", "null", "n a", "default", "recording", "new recording", "screen recording", "img", "vid", "mov", "mvi",
    "dsc", "dscn", "dscf", "gopr", "gx", "gh", "pxl", "dji", "win", "win pro", "wp", "chapter", "chap", "kapitel",
    "chapitre", "capitulo", "capítulo", "capitolo", "hoofdstuk", "rozdział", "глава", "章", "第 章", "章节", "视频",
    "未命名", "チャプター", "챕터", "ohne titel", "sans titre", "sin título", "senza titolo", "без названия",
}
# fmt: on


def find_metadata(container: InputContainer) -> Iterator[Cue]:
    """The words about the whole file, each field from the first place that has some, then the titles of its chapters.

    Blank, generic ("Video") and number-only texts are none.

    Warns:
        WordsWarning: What was attached cannot be read.
    """
    tagged = _tagged_texts(container.metadata)
    for field, attached in _attached_texts(container).items():
        if is_telling(attached):
            yield untimed(field, attached.strip(), "tracks:info.json")
        elif text := tagged[field]:
            yield untimed(field, text, "tracks:metadata")
    yield from _chapters(container)


def is_telling(text: str) -> bool:
    """Whether a text says something about the video.

    Example:
        >>> [is_telling(text) for text in ("Video 1", "2024-01-05", "IMG_0042", "Chapter 3", "A goal", "7 days")]
        [False, False, False, False, True, True]
    """
    return " ".join(re.sub(r"[\W\d_]+", " ", text).split()).casefold() not in _GENERIC


def _tagged_texts(metadata: Mapping[str, str]) -> dict[str, str]:
    """Matroska's keys are in capitals, and Apple's cameras put a name before theirs."""
    folded = {key.lower().removeprefix(_APPLE): text for key, text in metadata.items()}
    return {
        field: next((folded[key].strip() for key in keys if is_telling(folded.get(key, ""))), "")
        for field, keys in _KEYS.items()
    }


def _attached_texts(container: InputContainer) -> dict[str, str]:
    """The fields of an attached `info.json`, as yt-dlp leaves it in Matroska; "" where there are none."""
    texts = dict.fromkeys(_KEYS, "")
    for stream in container.streams:
        name = (stream.name or "") if isinstance(stream, AttachmentStream) else ""
        if isinstance(stream, AttachmentStream) and name.lower().endswith("info.json"):
            try:
                values = parse_json_object(bytes(stream.data or b"").decode(), name)
                texts |= {field: json_text(values, field, name) for field in _KEYS}
            except (InputError, UnicodeDecodeError) as error:
                warnings.warn(f"the attachment is passed over: {error}", WordsWarning, stacklevel=2)
    return texts


def _chapters(container: InputContainer) -> Iterator[Cue]:
    zero = zero_seconds(container)
    for chapter in container.chapters():
        title = chapter["metadata"].get("title", "").strip()
        if chapter["time_base"] is not None and is_telling(title):
            start, end = (float(chapter[key] * chapter["time_base"]) - zero for key in ("start", "end"))
            yield Cue(start, end, "description", title, "tracks:chapters")
