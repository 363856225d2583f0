"""The words of a video that is asked about, found as those of the training clips were: beside it, then in it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Self

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.words_beside import WordsBeside
from vidmodel_tf.words.words_in_videos import WordsInVideos

_VIDEOS = 64  # whose words are remembered: ranges of one film follow one another


class WordsOfVideos:
    """Finds words; to be closed (`with`), which ends its worker process.

    Args:
        prepare: The settings by which the training clips were stored.
    """

    def __init__(self, prepare: PrepareConfig) -> None:
        self._beside = WordsBeside(prepare)
        self._inside = WordsInVideos(prepare)
        self._find_cached = functools.lru_cache(maxsize=_VIDEOS)(self._find)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._inside.close()

    def find(self, video: Path, fields: Collection[str]) -> tuple[Cue, ...]:
        """The cues for some fields. Words that are passed over are told on standard error.

        Args:
            video: The file.
            fields: Some of `config.TEXT_FIELDS`.

        Raises:
            InputError: The video or a file beside it cannot be read.
            UnusableSourceError: A source of words can be used for no file.
        """
        return self._find_cached(video, tuple(fields))

    def _find(self, video: Path, fields: tuple[str, ...]) -> tuple[Cue, ...]:
        beside = self._beside.find(video, fields)
        missing = set(fields) - {cue.field for cue in beside}
        try:
            found = self._inside.find(video, missing)
        except InputError as error:
            raise InputError(error.reason) from None  # whoever asks names the video
        for line in found.warnings:
            print(f"{video}: {line}", file=sys.stderr, flush=True)
        return (*beside, *found.cues)
