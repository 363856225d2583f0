"""The sources of words in videos, by name."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from vidmodel_tf.words.finder import Finder

# What `tracks` finds takes milliseconds, while the hash of a film takes seconds.
_BY_IDENTITY = ("tracks",)
# The settings on which the words depend that a source finds.
_SETTINGS = {
    "tracks": ("languages",),
    "captions": (),
    "screen": ("languages", "screen_frames_per_second"),
    "speech": ("languages", "speech_model"),
}


class Source(NamedTuple):
    """One source of words.

    Attributes:
        name: As in `prepare.words`.
        find: Its function.
        fields: Those that it can fill.
        version: Grows when the same file gives other words.
        settings: The names of those that it obeys.
        by_content: Whether what it finds is remembered by the content of the file; else by its path, size and time.
    """

    name: str
    find: Finder
    fields: tuple[str, ...]
    version: int
    settings: tuple[str, ...]
    by_content: bool


def load_source(name: str) -> Source:
    """Imports one of `config.WordSource`; what it needs beyond that is imported when it is used."""
    module = importlib.import_module(f"vidmodel_tf.words.finders.{name}")
    find = getattr(module, f"find_{name}")
    return Source(name, find, module.FIELDS, module.VERSION, _SETTINGS[name], name not in _BY_IDENTITY)
