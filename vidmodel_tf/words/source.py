"""The sources of words in videos, by name."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.words.finder import Finder
from vidmodel_tf.words.speech_model import identify_speech_model

# What `tracks` finds takes milliseconds, while the hash of a film takes seconds.
_BY_IDENTITY = ("tracks",)
# The settings on which the words depend that a source finds. Not in their modules: these import what reads videos.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "tracks": ("languages",),
    "captions": (),
    "screen": ("screen_frames_per_second",),
    "speech": ("languages", "speech_model"),
}
_BESIDE = ("languages",)  # the words in files beside a video depend on these


class Source(NamedTuple):
    """One source of words.

    Attributes:
        name: As in `prepare.words`.
        find: Its function.
        fields: Those that it can fill.
        version: Grows when the same file gives other words.
        by_content: Whether what it finds is remembered by the content of the file; else by its path, size and time.
    """

    name: str
    find: Finder
    fields: tuple[str, ...]
    version: int
    by_content: bool


def load_source(name: str) -> Source:
    """Imports one of `config.WordSource`; what it needs beyond that is imported when it is used."""
    module = importlib.import_module(f"vidmodel_tf.words.finders.{name}")
    find = getattr(module, f"find_{name}")
    return Source(name, find, module.FIELDS, module.VERSION, name not in _BY_IDENTITY)


def obeyed_settings(name: str, settings: PrepareConfig) -> dict[str, Any]:
    """The settings that a source obeys, by name: while they are equal, it finds the same words in the same file.

    Raises:
        InputError: A folder with a model cannot be read.
    """
    values = {key: getattr(settings, key) for key in SETTINGS[name]}
    if "speech_model" in values:
        values["speech_model"] = identify_speech_model(settings.speech_model)
    return values


def unused_settings(names: Collection[str]) -> set[str]:
    """The settings on which no words depend where these sources are asked."""
    used = {*_BESIDE, *(key for name in names for key in SETTINGS[name])}
    return {key for keys in SETTINGS.values() for key in keys} - used
