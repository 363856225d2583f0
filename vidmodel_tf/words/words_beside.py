"""The words in the files beside a video that is asked about, found as those of the training clips were."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.sidecars import Sidecars

_FOLDERS = 64  # whose names of files are remembered


class WordsBeside:
    """Finds words.

    Args:
        prepare: The settings by which the training clips were stored: their languages, and whether files beside a
            video may be links that lead out of its folder.
    """

    def __init__(self, prepare: PrepareConfig) -> None:
        self._prepare = prepare
        self._sidecars_in = functools.lru_cache(maxsize=_FOLDERS)(self._open)

    def find(self, video: Path, fields: Collection[str]) -> tuple[Cue, ...]:
        """The cues for some fields.

        Args:
            video: The file.
            fields: Some of `config.MODEL_FIELDS`.

        Raises:
            InputError: A file beside the video cannot be read.
        """
        return self._sidecars_in(video.parent).find(video, fields)

    def _open(self, folder: Path) -> Sidecars:
        return Sidecars(self._prepare.languages, root=None if self._prepare.follow_links else folder)
