"""The formats of `config.json`: those of older versions are brought up to date, newer ones are refused.

A format is a number, the setting `format`; version 0.1.0 wrote none, which is format 1. Each step from one format to
the next is a function here that renames what was renamed and, where a default has changed, writes in the old one.
A setting that is merely new needs no step: where its default does not mean what was done before, the value that does
stands in `config.PREPARE_BEFORE`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vidmodel_tf.config import PREPARE_BEFORE
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import read_json
from vidmodel_tf.version import __version__

Settings = dict[str, Any]  # what `config.json` holds

FORMAT = 2


def read_config(path: Path) -> Settings:
    """Reads the `config.json` of a run folder or of an export, in the present format.

    Raises:
        InputError: It is missing or damaged, or a newer version wrote it.
    """
    settings = read_json(path)
    if not isinstance(settings, dict):
        raise InputError("expected an object with the settings of a run", subject=path)
    return upgrade(settings, path)


def upgrade(settings: Settings, path: str | Path) -> Settings:
    """The same settings in the present format.

    Args:
        settings: The content of a `config.json` of any version.
        path: That file, for the messages.

    Raises:
        InputError: A newer version wrote it, or its format is no number.

    Example:
        >>> upgrade({"model": {"num_nets": 3}, "vidmodel_version": "0.1.0"}, "config.json")["model"]
        {'ensemble_size': 3}
    """
    found = settings.get("format", 1)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise InputError(f"expected a format from 1 to {FORMAT}. Received: {found!r}", subject=path)
    if found > FORMAT:
        writer = settings.get("vidmodel_version", "of a later date")
        raise InputError(
            f"made by vidmodel {writer}: install it. This is {__version__}, which reads formats up to {FORMAT}. "
            f"Received: {found}",
            subject=path,
        )
    for step in _STEPS[found - 1 :]:
        settings = step(settings)
    return {**_with_what_was_done(settings), "format": FORMAT}


def _with_what_was_done(settings: Settings) -> Settings:
    prepare = settings.get("prepare")
    return {**settings, "prepare": {**PREPARE_BEFORE, **prepare}} if isinstance(prepare, dict) else settings


def _from_1_to_2(settings: Settings) -> Settings:
    """`model.num_nets` became `model.ensemble_size`."""
    return _renamed(settings, "model", {"num_nets": "ensemble_size"})


def _renamed(settings: Settings, section: str, new_names: dict[str, str]) -> Settings:
    found = settings.get(section)
    if not isinstance(found, dict):
        return settings
    return {**settings, section: {new_names.get(name, name): value for name, value in found.items()}}


# The first step leads from format 1 to 2, the second from 2 to 3.
_STEPS: tuple[Callable[[Settings], Settings], ...] = (_from_1_to_2,)
