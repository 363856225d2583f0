"""Frames with words painted in, as editors of videos do: over photographs, outlined or on a box."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import sklearn.datasets
from PIL import Image, ImageDraw, ImageFont

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SIMPLIFIED = 2  # the face for simplified Chinese in that file
ENGLISH = (
    "Welcome back to my channel",
    "Today we cook tomato soup",
    "The goalkeeper saves the penalty",
    "Please stand clear of the doors",
    "Two men argue in the street",
    "It was the best summer of my life",
    "Never look back, keep running!",
    "How to change a bicycle tyre",
)
CHINESE = (
    "欢迎回到我的频道",
    "今天我们做番茄汤",
    "守门员扑出了点球",
    "请勿靠近车门",
    "两个男人在街上争吵",
    "这是我最美好的夏天",
    "不要回头继续奔跑",
    "怎样更换自行车轮胎",
)


def photograph(number: int, size: tuple[int, int], shift: int = 0) -> np.ndarray:
    """One of two photographs (scikit-learn has them), uint8 [H, W, 3], RGB; `shift` moves it on by pixels."""
    photo = np.roll(_photographs()[number % 2], -shift, axis=1)
    return np.array(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))


@functools.cache
def _photographs() -> list[np.ndarray]:
    return sklearn.datasets.load_sample_images().images


def paint_words(
    picture: np.ndarray, text: str, style: str = "outline", height: float = 0.9, size: float = 0.06
) -> np.ndarray:
    """Paints a line in the middle of the width.

    Args:
        picture: uint8 [H, W, 3], RGB.
        text: One line.
        style: "outline" (white, outlined in black), "box" (white on a black box) or "white".
        height: Of the line's middle, in heights of the picture.
        size: Of the letters, likewise.
    """
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), round(size * image.height), index=SIMPLIFIED)
    middle = image.width / 2, height * image.height
    if style == "box":
        left, top, right, bottom = draw.textbbox(middle, text, font, anchor="mm")
        draw.rectangle((left - 6, top - 4, right + 6, bottom + 4), fill="black")
    stroke = max(round(font.size / 12), 1) if style == "outline" else 0
    draw.text(middle, text, "white", font, anchor="mm", stroke_width=stroke, stroke_fill="black")
    return np.array(image)
