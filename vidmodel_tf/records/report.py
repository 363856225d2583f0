"""What `prepare` said of a data set: how it was made, and from what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vidmodel_tf.config import PrepareConfig, from_mapping
from vidmodel_tf.errors import InputError


def read_report(data_dir: str | Path) -> dict[str, Any]:
    """`prepare_report.json`.

    Raises:
        InputError: It is missing or was damaged.
    """
    path = Path(data_dir) / "prepare_report.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"cannot read {path}: expected the report that `vidmodel prepare` writes; prepare the data set again"
        ) from None


def prepare_config_of(data_dir: str | Path) -> PrepareConfig:
    """The settings by which the data set was prepared."""
    return from_mapping(PrepareConfig, read_report(data_dir)["settings"], "prepare")


def fingerprint_of(data_dir: str | Path) -> str:
    """Equal for data sets of the same video files (size and time), words, labels, splits and settings.

    Of the files the same must have been readable. Where the data sets lie does not count.
    """
    return read_report(data_dir)["fingerprint"]
