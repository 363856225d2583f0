"""What several test files in several processes need, made once between them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import filelock


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder that `make(folder)` fills: whoever asks first makes it, the others wait. No test may change it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    whole = folder.with_name(f"{folder.name}.whole")
    with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            whole.touch()
    return folder
