"""Pixels against those of OpenCV's own reader, which has the same library for them inside."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidmodel_tf.video.source import open_source

BT601, BT709, BT2020 = (5, 6, 6), (1, 1, 1), (9, 9, 14)  # matrix, primaries, transfer curve (ITU-T H.273)
PQ, HLG = (9, 9, 16), (9, 9, 18)
UNTOLD = (2, 2, 2)


def textured(number: int) -> np.ndarray:
    rows, columns = np.mgrid[0:120, 0:160]
    red = 128 + 100 * np.sin(columns / 17 + number) * np.cos(rows / 23)
    green = 128 + 100 * np.cos((columns + rows) / 31)
    blue = 60 + 150 * ((columns // 20 + rows // 20 + number) % 2)
    noise = np.random.default_rng(number).normal(0, 6, (120, 160, 3))
    return np.clip(np.stack([red, green, blue], -1) + noise, 0, 255).astype(np.uint8)


def write(path: Path, codec: str, pixel_format: str, colours: tuple[int, int, int], color_range: int) -> Path:
    matrix, primaries, curve = colours
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, pixel_format
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = matrix, primaries, curve
        context.color_range = color_range
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(textured(number), format="rgb24").reformat(format=pixel_format)
            frame.colorspace, frame.color_primaries, frame.color_trc = matrix, primaries, curve
            frame.color_range, frame.pts, frame.time_base = color_range, number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def differences(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    with open_source(path) as source:
        found = [frame.pixels.astype(int) - capture.read()[1] for frame in source]
    assert len(found) == 4
    assert not capture.grab()
    return found


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [
        ("libx264", "yuv420p"),
        ("libx264", "yuv444p"),
        ("mpeg4", "yuv420p"),
        ("ffv1", "yuv422p"),
        ("mjpeg", "yuvj420p"),
        ("libvpx-vp9", "yuv420p"),
    ],
)
@pytest.mark.parametrize("colours", [BT601, BT709, UNTOLD])
@pytest.mark.parametrize("color_range", [1, 2])  # limited, full
def test_eight_bits_are_equal_to_the_last_bit(tmp_path, codec, pixel_format, colours, color_range):
    path = write(tmp_path / "clip.mkv", codec, pixel_format, colours, color_range)
    assert all((difference == 0).all() for difference in differences(path))


@pytest.mark.parametrize("pixel_format", ["yuv420p", pytest.param("yuv420p10le", marks=pytest.mark.slow)])
@pytest.mark.parametrize("colours", [BT709, PQ, *(pytest.param(c, marks=pytest.mark.slow) for c in (BT2020, HLG))])
def test_wide_colours_and_ten_bits_are_those_of_opencv(tmp_path, pixel_format, colours):
    path = write(tmp_path / "clip.mkv", "libx264", pixel_format, colours, 1)
    assert np.mean(np.abs(differences(path))) < 3
