"""Words that lie in a video file beside its pictures: a subtitle track, chapters, metadata, attachments."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.video.containers import open_container
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.metadata import find_metadata
from vidmodel_tf.words.subtitle_tracks import find_subtitles

FIELDS = ("title", "description", "tags", "subtitles")
VERSION = 2


def find_tracks(path: Path, settings: PrepareConfig) -> tuple[Cue, ...]:
    """The words of a file; see `vidmodel_tf.words.finder.Finder`.

    Raises:
        InputError: It is not a video.
    """
    with open_container(path) as container:
        return (*find_metadata(container), *find_subtitles(container, settings.languages))
