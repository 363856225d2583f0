"""Whether words may have come or gone between two pictures: a hundredth of what reading them costs."""

from __future__ import annotations

import cv2
import numpy as np

WIDTH = 640  # to which a picture is reduced
CELL = 8  # pixels
WINDOW_CELLS = (8, 2)  # the size of a short word
STROKE_CONTRAST = 60  # grey levels between a stroke and what surrounds it
CHANGED_SHARE = 0.06  # of the pixels in a window


def strokes(bgr: np.ndarray) -> np.ndarray:
    """How much of each small cell of a picture is taken by strokes as thin as those of letters, light or dark.

    Args:
        bgr: uint8 [H, W, 3].

    Returns:
        float32 [rows, columns], 0 to 1.
    """
    height = max(round(bgr.shape[0] * WIDTH / bgr.shape[1] / CELL), 1) * CELL
    grey = cv2.cvtColor(cv2.resize(bgr, (WIDTH, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    kernel = np.ones((9, 9), np.uint8)
    light = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel)
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
    is_stroke = (np.maximum(light, dark) > STROKE_CONTRAST).astype(np.float32)
    return cv2.resize(is_stroke, (WIDTH // CELL, height // CELL), interpolation=cv2.INTER_AREA)


def may_differ(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether the words in two pictures may differ, given their `strokes`. Most movements look like a change too."""
    return before.shape != after.shape or bool(cv2.blur(np.abs(after - before), WINDOW_CELLS).max() > CHANGED_SHARE)
