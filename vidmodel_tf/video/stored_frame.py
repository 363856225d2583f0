"""Pixels -> the JPEG that a data set stores and a model is asked about. The one place that makes it."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.video.opencv import import_opencv


def reduce_frame(pixels: np.ndarray, short_side: int) -> np.ndarray:
    """Reduces a frame to its stored size by area interpolation, its aspect kept. Smaller frames stay as they are.

    Args:
        pixels: uint8 [H, W, 3], upright.
        short_side: Pixels.
    """
    height, width = pixels.shape[:2]
    scale = short_side / min(height, width)
    pixels = np.ascontiguousarray(pixels)
    if scale >= 1:
        return pixels
    cv2 = import_opencv()
    return cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def encode_frame(pixels: np.ndarray, jpeg_quality: int) -> bytes:
    """A frame of stored size as JPEG.

    Args:
        pixels: uint8 [H, W, 3] in blue, green, red.
        jpeg_quality: 1 to 100.

    Raises:
        VidmodelError: OpenCV cannot write it.
    """
    cv2 = import_opencv()
    succeeded, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    if not succeeded:
        raise VidmodelError(f"OpenCV could not write a picture of shape {pixels.shape} as JPEG")
    return jpeg.tobytes()
