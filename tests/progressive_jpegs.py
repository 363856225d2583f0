"""Progressive JPEG files, also with more scans than any encoder writes: each is a pass over the whole picture."""

from __future__ import annotations

import cv2
import numpy as np

_SCAN = b"\xff\xda"


def progressive_jpeg(height: int, width: int, *, extra_scans: int = 0) -> bytes:
    """A black picture as progressive JPEG.

    Args:
        height: Pixels.
        width: Pixels.
        extra_scans: How often the last scan is repeated.
    """
    is_encoded, data = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert is_encoded
    whole = data.tobytes()
    assert whole.count(_SCAN) > 5
    last, end = whole[whole.rindex(_SCAN) : -2], whole[-2:]
    return whole[:-2] + last * extra_scans + end
