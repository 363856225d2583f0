"""Copies of the data set that tests share."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_data_set(data: Path, out: Path) -> Path:
    """A copy to train on, which gets a feature cache of its own."""
    return shutil.copytree(data, out, ignore=shutil.ignore_patterns("features"))
