"""What a decoder gives -> upright 8-bit pixels in blue, green, red.

Interlaced video comes out as whole frames: both fields woven together, as they are stored, without deinterlacing.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter

# What OpenCV maps to BT.709 too. It leaves the curves and primaries of standard definition as they are.
_WIDE_CURVES = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67, ColorTrc.BT2020_10, ColorTrc.BT2020_12)
_WIDE_PRIMARIES = (ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432)


class PixelConverter:
    """Converts frames of one video. It keeps tables from one frame to the next: make one a video, not one a frame."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_bgr(self, frame: av.VideoFrame) -> np.ndarray:
        """The picture as it is to be seen.

        Rotation metadata is obeyed, mirroring is not. Transparent pixels are laid over black. Wide colours (BT.2020,
        P3) and HDR (PQ, HLG) are mapped to BT.709.

        Returns:
            uint8 [H, W, 3].
        """
        has_alpha = _has_alpha(frame)
        pixels = self._reformat(frame, "bgra" if has_alpha else "bgr24")
        pixels = _over_black(pixels) if has_alpha else pixels
        return np.rot90(pixels, round(frame.rotation / 90)) if frame.rotation else pixels

    def _reformat(self, frame: av.VideoFrame, pixel_format: str) -> np.ndarray:
        to_bt709 = {}
        if _is_wide(frame):
            to_bt709 = {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
        # Bicubic and one thread: what OpenCV asks of the same library, and so the same pixels.
        converted = self._reformatter.reformat(
            frame, format=pixel_format, interpolation=Interpolation.BICUBIC, threads=1, **to_bt709
        )
        return converted.to_ndarray()


def _is_wide(frame: av.VideoFrame) -> bool:
    return frame.color_primaries in _WIDE_PRIMARIES or frame.color_trc in _WIDE_CURVES


def _has_alpha(frame: av.VideoFrame) -> bool:
    return any(component.is_alpha for component in frame.format.components) or frame.format.name == "pal8"


def _over_black(bgra: np.ndarray) -> np.ndarray:
    alpha = bgra[..., 3:]
    if alpha.min() == 255:
        return np.ascontiguousarray(bgra[..., :3])
    return ((bgra[..., :3].astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
