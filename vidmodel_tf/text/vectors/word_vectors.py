"""The vectors of some words."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of one file, for the words that are asked for.

    Attributes:
        words: Those that the file has, each once.
        values: Their vectors in the same order, float32 [W, D], finite.
        sha256: Of the file that they come from, hexadecimal.
    """

    words: tuple[str, ...]
    values: np.ndarray
    sha256: str

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        return self.values.shape[1]
