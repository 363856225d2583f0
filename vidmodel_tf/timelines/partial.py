"""What is kept while a long video is scored, so that a call after a kill goes on where it was."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vidmodel_tf.storage import atomic_write

_KEY = "key"


@dataclasses.dataclass(frozen=True)
class Partial:
    """The file of unfinished work.

    Attributes:
        path: An `.npz` file.
        key: A digest of all that the work depends on: what belongs to another key is not used.
    """

    path: Path
    key: str

    def write(self, state: Mapping[str, np.ndarray]) -> None:
        """Keeps a state, whole or not at all."""
        with atomic_write(self.path) as beside:
            np.savez(beside, allow_pickle=False, **{_KEY: np.array(self.key), **state})

    def read(self) -> dict[str, np.ndarray] | None:
        """The state that was kept; None if there is none, or it belongs to other work or is damaged."""
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
            return None
        return state if str(state.pop(_KEY, "")) == self.key else None
