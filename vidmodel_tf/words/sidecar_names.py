"""Which files in a folder hold words for which video: they begin with its stem, `STEM.srt`, `STEM.en.vtt`, ..."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path

from vidmodel_tf.video.names import is_video_name
from vidmodel_tf.words.languages import best_codes, is_language
from vidmodel_tf.words.subtitles import SUBTITLE_SUFFIXES

# What stands behind the stem, by field, the best first: a file made for one field goes before JSON.
_TAILS = {
    "title": (".json", ".info.json"),
    "description": (".txt", ".description", ".json", ".info.json"),
    "tags": (".json", ".info.json"),
    "subtitles": (*SUBTITLE_SUFFIXES, ".json"),
    "screen_text": (".json",),
    "speech": (".json",),
    "question": (),  # it is asked, not found
}
# fmt: off
_SUBTITLES = (
    ".srt", ".vtt", ".ass", ".ssa", ".sub", ".idx", ".sup", ".sbv", ".ttml", ".dfxp", ".smi", ".sami", ".lrc", ".scc",
    ".stl", ".json3", ".srv1", ".srv2", ".srv3",
)
# fmt: on
_TEXTS = (".txt", ".description", ".json", ".nfo", ".md", ".xml")


class FolderNames:
    """The names in a folder, with the video to which each belongs.

    A name belongs to the video with the longest stem that it begins with: where `a.mp4` and `a.en.mp4` stand,
    `a.en.srt` belongs to the second.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._names = sorted(os.listdir(folder))  # noqa: PTH208 (names alone)
        except (OSError, ValueError):
            self._names = []
        self._stems = {Path(name).stem for name in self._names if is_video_name(name)}

    def beside(self, stem: str) -> dict[str, str]:
        """The files that belong to the video of this stem: what stands behind the stem, in small letters -> name."""
        found = {}
        for index in range(bisect_left(self._names, f"{stem}."), len(self._names)):
            name = self._names[index]
            if not name.startswith(f"{stem}."):
                break
            if not is_video_name(name) and self.owner(name, stem) == stem:
                found[name[len(stem) :].lower()] = name
        return found

    def owner(self, name: str, stem: str | None = None) -> str | None:
        """The stem of the video to which a file of this name belongs; `stem` is that of one more video."""
        ends = [match.start() for match in re.finditer(r"\.", name)]
        return next((name[:end] for end in reversed(ends) if name[:end] in self._stems or name[:end] == stem), None)


def names_for(field: str, beside: Mapping[str, str], languages: Sequence[str]) -> list[str]:
    """The files beside a video that may hold the words of a field, the best first.

    Args:
        field: One of `config.MODEL_FIELDS`.
        beside: From `FolderNames.beside`.
        languages: Subtitles that say their language (`.en.vtt`) come in this order, before those that do not; those
            in other languages are left out.
    """
    tails = [*(_tails_in(languages, beside) if field == "subtitles" else ()), *_TAILS[field]]
    return [beside[tail] for tail in tails if tail in beside]


def _tails_in(languages: Sequence[str], beside: Mapping[str, str]) -> list[str]:
    parts = [tail.removeprefix(".").rpartition(".") for tail in beside]
    codes = {code for code, _, suffix in parts if f".{suffix}" in SUBTITLE_SUFFIXES and is_language(code)}
    return [f".{code}{suffix}" for code in best_codes(sorted(codes), languages) for suffix in SUBTITLE_SUFFIXES]


def looks_like_subtitles(name: str) -> bool:
    """Whether a file seems to hold subtitles, in whatever language or format."""
    return _suffix(name) in _SUBTITLES


def looks_like_text(name: str) -> bool:
    """Whether a file seems to hold other words: a title, a description."""
    return _suffix(name) in _TEXTS


def _suffix(name: str) -> str:
    # Not Path.suffix, for which ".srt" has none.
    return f".{name.rpartition('.')[2]}".lower()
