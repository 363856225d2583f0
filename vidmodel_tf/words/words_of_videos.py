"""The words of a video that is asked about, found as those of the training clips were: beside it, then in it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Self

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.remote.store import Place
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.remembered import Found
from vidmodel_tf.words.words_beside import WordsBeside
from vidmodel_tf.words.words_in_videos import WordsInVideos

Cues = tuple[Cue, ...]

_VIDEOS = 64  # whose words are remembered: ranges of one film follow one another


class WordsOfVideos:
    """Finds words; to be closed (`with`), which ends its worker processes.

    Args:
        prepare: The settings by which the training clips were stored.
    """

    def __init__(self, prepare: PrepareConfig) -> None:
        self._beside = WordsBeside(prepare)
        self._inside = WordsInVideos(prepare, prepare.num_workers)
        self._find_cached = functools.lru_cache(maxsize=_VIDEOS)(self._find)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._inside.close()

    def find(self, video: Path, fields: Collection[str]) -> tuple[Cue, ...]:
        """The cues for some fields. Words that are passed over are told on standard error.

        Args:
            video: The file.
            fields: Some of `config.MODEL_FIELDS`; a question is never found.

        Raises:
            InputError: The video or a file beside it cannot be read.
            UnusableSourceError: A source of words can be used for no file.
        """
        answer = self._find_cached(video, tuple(fields))
        if isinstance(answer, InputError):
            raise InputError(answer.reason, subject=answer.subject)
        return answer

    def find_all(self, videos: Iterable[Path], fields: Collection[str]) -> Iterator[tuple[Path, Cues | InputError]]:
        """The same for many videos, several at a time.

        Args:
            videos: The files.
            fields: Some of `config.MODEL_FIELDS`.

        Yields:
            In the order of `videos`, each with its words, or why it cannot be read.

        Raises:
            UnusableSourceError: A source of words can be used for no file.
        """
        beside = {video: self._find_beside(video, fields) for video in videos}
        missing: dict[Place, set[str]] = {
            video: set(fields) - {cue.field for cue in cues}
            for video, cues in beside.items()
            if not isinstance(cues, InputError)
        }
        inside = self._inside.find_all(missing)
        for video, cues in beside.items():
            yield video, cues if isinstance(cues, InputError) else _joined(video, cues, inside[video])

    def _find(self, video: Path, fields: tuple[str, ...]) -> Cues | InputError:
        """An error is a value here, so that it is remembered as words are: a search that hangs takes minutes."""
        ((_, answer),) = self.find_all([video], fields)
        return answer

    def _find_beside(self, video: Path, fields: Collection[str]) -> Cues | InputError:
        try:
            return self._beside.find(video, fields)
        except InputError as error:
            return error


def _joined(video: Path, beside: Cues, found: Found | InputError) -> Cues | InputError:
    if isinstance(found, InputError):
        return InputError(found.reason)  # whoever asks names the video
    for line in found.warnings:
        print(f"{video}: {line}", file=sys.stderr, flush=True)
    return (*beside, *found.cues)
