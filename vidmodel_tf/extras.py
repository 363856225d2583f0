"""Packages that only an extra installs: code and data, and the one message where they are missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import file_sha256


def import_extra(name: str, *, extra: str, needed_for: str) -> ModuleType:
    """Imports a package that the extra `extra` installs.

    Args:
        name: The module.
        extra: `pip install "vidmodel_tf[EXTRA]"` installs it.
        needed_for: What needs it, as the subject of the message ("ONNX files").

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f'{needed_for} need {name}, which is not installed ({error}): pip install "vidmodel_tf[{extra}]"'
        ) from None


def find_data_package(name: str, *, extra: str, holds: str, instead: str) -> Path:
    """The folder of a package that holds data. Its own code is not run.

    Args:
        name: The package.
        extra: `pip install "vidmodel_tf[EXTRA]"` installs it.
        holds: What is in it, as the subject of the message ("the packaged word vectors").
        instead: What to do without it.

    Raises:
        InputError: It is not installed.
    """
    spec = importlib.util.find_spec(name)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        return Path(place)
    raise InputError(f'{holds} are not installed: pip install "vidmodel_tf[{extra}]", or {instead}')


def check_data_files(folder: Path, sha256s: Mapping[str, str], *, requirement: str) -> None:
    """Refuses files that are not those of the release that the extra names.

    Args:
        folder: Where they lie.
        sha256s: The SHA-256 of each file by its name.
        requirement: The release, as pip takes it ("NAME==1.0.0").

    Raises:
        InputError: One is missing or another.
    """
    for name, expected in sha256s.items():
        path = folder / name
        found = file_sha256(path) if path.is_file() else "no such file"
        if found != expected:
            raise InputError(
                f"expected the file of {requirement} (SHA-256 {expected[:12]}...). Received: {found[:12]}; "
                f"pip install --force-reinstall --no-deps {requirement}",
                subject=path,
            )
