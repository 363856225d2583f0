"""The sources of words in videos, by name."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from vidmodel_tf.words.finder import Finder

# The settings on which the words depend that a source finds.
_SETTINGS = {
    "tracks": ("languages",),
    "captions": (),
    "screen": ("languages", "screen_frames_per_second"),
    "speech": ("languages", "speech_model"),
}


class Source(NamedTuple):
    """One source: its name, its function, the fields that it can fill, its version, and the settings that it obeys."""

    name: str
    find: Finder
    fields: tuple[str, ...]
    version: int
    settings: tuple[str, ...]


def load_source(name: str) -> Source:
    """Imports one of `config.WordSource`; what it needs beyond that is imported when it is used."""
    module = importlib.import_module(f"vidmodel_tf.words.finders.{name}")
    return Source(name, getattr(module, f"find_{name}"), module.FIELDS, module.VERSION, _SETTINGS[name])
