"""The words in the files beside a video: subtitles, descriptions, and what downloaders write (`STEM.info.json`)."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.cues import Cue, cut, text_by_field, untimed
from vidmodel_tf.words.json_words import json_text, read_json_object
from vidmodel_tf.words.sidecar_names import FolderNames, looks_like_subtitles, looks_like_text, names_for
from vidmodel_tf.words.subtitles import SUBTITLE_SUFFIXES, read_subtitles, subtitle_path
from vidmodel_tf.words.words_file import read_words_file


def read_sidecar_words(
    path: Path,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
    languages: Sequence[str] = ("en",),
) -> dict[str, str]:
    """The words in the files beside one video. For many videos use `Sidecars`, which lists a folder once.

    Args:
        path: The video. It need not exist.
        start_seconds: Where the clip starts; of subtitles, only what overlaps the clip is kept.
        end_seconds: Where it ends (half open).
        languages: Where subtitles say their language (`STEM.en.vtt`), the first of these that is there is read.

    Returns:
        Every name in `config.TEXT_FIELDS`; "" where no file gives it.

    Raises:
        InputError: A file is in an unknown encoding or not what its suffix says.
    """
    return text_by_field(cut(Sidecars(languages).find(path), start_seconds, end_seconds))


class Sidecars:
    """Finds the words in the files beside videos, and remembers what it read: ranges of one video cost one reading.

    Args:
        languages: As in `read_sidecar_words`.
        root: A file beside a video in this folder must lie in it too, after links are followed; a file beside a video
            elsewhere must lie in the video's folder. None: links may lead anywhere.
    """

    def __init__(self, languages: Sequence[str] = ("en",), root: Path | None = None) -> None:
        self._languages = tuple(languages)
        self._root = root
        self._unread: dict[Path, str] = {}
        self.names_in = functools.lru_cache(maxsize=4096)(FolderNames)
        self.read_subtitles = functools.lru_cache(maxsize=64)(read_subtitles)
        self._read_json = functools.lru_cache(maxsize=16)(read_json_object)
        self._find_cached = functools.lru_cache(maxsize=64)(self._find)

    def find(self, path: Path, fields: Collection[str] = TEXT_FIELDS) -> tuple[Cue, ...]:
        """The words for some fields; a file that is not needed for them is not read.

        Args:
            path: The video. It need not exist.
            fields: Some of `config.TEXT_FIELDS`.

        Raises:
            InputError: A file is in an unknown encoding, is not what its suffix says, or is a link that leads out.
        """
        return self._find_cached(path, tuple(fields))

    def count_unread(self) -> Counter[str]:
        """Files that look like words which no other file gave, and were not read: how many, by their names' ends."""
        return Counter(self._unread.values())

    def _find(self, path: Path, fields: tuple[str, ...]) -> tuple[Cue, ...]:
        beside = self.names_in(path.parent).beside(path.stem)
        beside = {tail: name for tail, name in beside.items() if (path.parent / name).is_file()}
        found = {field: self._first_words(field, path, beside) for field in fields}
        self._note_unread(path.parent, beside, found)
        return tuple(cue for cues in found.values() for cue in cues)

    def _first_words(self, field: str, video: Path, beside: Mapping[str, str]) -> tuple[Cue, ...]:
        """The cues of the first file that has words for a field."""
        read = (self._read(field, video.parent / name, video) for name in names_for(field, beside, self._languages))
        return next((cues for cues in read if cues), ())

    def _read(self, field: str, path: Path, video: Path) -> tuple[Cue, ...]:
        self._check_place(path, video)
        suffix, source = path.suffix.lower(), f"sidecar:{path.name}"
        if suffix in SUBTITLE_SUFFIXES:
            return self.read_subtitles(path, source)
        text = json_text(self._read_json(path), field, path) if suffix == ".json" else read_words_file(path).strip()
        if field == "subtitles" and (named := subtitle_path(text, path.parent)):
            return self._read(field, named, video)
        return (untimed(field, text, source),) if text.strip() else ()

    def _check_place(self, path: Path, video: Path) -> None:
        if self._root is None:
            return
        allowed = self._root if video.is_relative_to(self._root) else video.parent
        if not path.resolve().is_relative_to(allowed.resolve()):
            raise InputError(
                f"{path} leads out of {allowed}, to {path.resolve()}: "
                "put the file itself there, or set prepare.follow_links=true"
            )

    def _note_unread(self, folder: Path, beside: Mapping[str, str], found: Mapping[str, Sequence[Cue]]) -> None:
        known = {name for field in TEXT_FIELDS for name in names_for(field, beside, self._languages)}
        lacks_subtitles = _are_empty(found, ("subtitles",))
        lacks_text = _are_empty(found, ("title", "description", "tags"))
        for tail, name in beside.items():
            if name not in known and (
                (lacks_subtitles and looks_like_subtitles(name)) or (lacks_text and looks_like_text(name))
            ):
                self._unread[folder / name] = _ending(tail)


def _are_empty(found: Mapping[str, Sequence[Cue]], fields: Iterable[str]) -> bool:
    """Whether all the fields were looked for, and no words were found."""
    return all(field in found and not found[field] for field in fields)


def _ending(tail: str) -> str:
    """The suffix, and the word before it where that is short: ".de.vtt"."""
    *_, before, suffix = tail.encode(errors="replace").decode().split(".")
    return f".{before}.{suffix}" if 0 < len(before) <= 8 else f".{suffix}"
