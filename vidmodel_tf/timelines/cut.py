"""What was cut out of a video."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Cut:
    """A range of a video that has become a file of its own.

    Attributes:
        path: The new file.
        start_seconds: Where its second 0 lies in the video: where it was asked to begin, or at the key frame before.
        end_seconds: Where it ends: at most where it was asked to, but for a copy, which may show a few pictures more.
        num_frames: Pictures.
    """

    path: Path
    start_seconds: float
    end_seconds: float
    num_frames: int
