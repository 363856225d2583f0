"""What is kept while a long video is scored, so that a call after a kill goes on where it was."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vidmodel_tf.storage import atomic_write

KEY = "key"


def write_partial(path: Path, key: Mapping[str, object], state: Mapping[str, np.ndarray]) -> None:
    """Keeps a state, whole or not at all.

    Args:
        path: An `.npz` file.
        key: All that the state depends on.
        state: Arrays by name.
    """
    with atomic_write(path) as beside:
        np.savez(beside, **{KEY: np.array(_text(key))}, **state)


def read_partial(path: Path, key: Mapping[str, object]) -> dict[str, np.ndarray] | None:
    """The state that was kept; None if there is none, or it belongs to other work or is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            state = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
        return None
    return state if str(state.pop(KEY, "")) == _text(key) else None


def _text(key: Mapping[str, object]) -> str:
    return json.dumps(key, sort_keys=True)
