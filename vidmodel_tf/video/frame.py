"""One picture of a video and when it is displayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Args:
        index: From 0, in display order.
        time_seconds: When it is first displayed, on the clock of its source.
        pixels: uint8 [H, W, 3], upright, blue, green, red: the order in which OpenCV works.
    """

    index: int
    time_seconds: float
    pixels: np.ndarray
