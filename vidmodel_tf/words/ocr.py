"""Reads the words in a picture, by RapidOCR with the models in its package: English, Chinese and Japanese."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from typing import Any

import cv2
import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import import_extra

DETECTED_SIDE = 640  # pixels of the longer side, in which lines are looked for
READ_SIDE = 1280  # likewise, in which they are read
MIN_SCORE = 0.6

_SAME_ROW = 0.6  # of the lower line's height
_WORD_GAP = 1.0  # in heights: what stands farther apart is not one line
# What RapidOCR imports and the extra installs.
_REQUIRED = ("PIL", "onnxruntime", "omegaconf", "colorlog", "pyclipper", "shapely", "requests", "six", "tqdm", "yaml")
_SETTINGS = {
    # RapidOCR itself would enlarge a strip until its short side has 736 pixels, which takes half a minute.
    "Det.limit_type": "max",
    "Det.limit_side_len": DETECTED_SIDE,
    "Global.use_cls": False,  # text that stands on its head
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,  # as many files are read at a time as there are cores
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of words in a picture.

    Attributes:
        text: What it says.
        score: How certain that is, 0 to 1.
        left, top, right, bottom: Where it stands, in shares of the picture's width and height.
    """

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float


def has_ocr() -> bool:
    """Whether words in pictures can be read: the extra `words` and RapidOCR are installed."""
    try:
        _import_rapidocr()
    except InputError:
        return False
    return True


def read_lines(bgr: np.ndarray) -> list[Line]:
    """The lines in a picture, from top to bottom.

    Args:
        bgr: uint8 [H, W, 3].

    Raises:
        InputError: The extra is not installed.
    """
    shrink = READ_SIDE / max(bgr.shape[:2])
    if shrink < 1:
        bgr = cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    found = _engine()(bgr)
    if not found.txts:
        return []
    height, width = bgr.shape[:2]
    corners = np.asarray(found.boxes, np.float64) / (width, height)
    lines = [
        Line(" ".join(text.split()), float(score), *map(float, (*box.min(axis=0), *box.max(axis=0))))
        for text, score, box in zip(found.txts, found.scores, corners, strict=True)
        if score >= MIN_SCORE
    ]
    return _join_rows(lines, width / height)


def _join_rows(lines: list[Line], aspect: float) -> list[Line]:
    """Puts together what was found in parts though it stands in one row."""
    rows: list[Line] = []
    for line in sorted(lines, key=lambda line: line.left):
        before = next((row for row in rows if _goes_on(row, line, aspect)), None)
        if before is None:
            rows.append(line)
        else:
            rows[rows.index(before)] = _join(before, line)
    return sorted(rows, key=lambda line: (line.top, line.left))


def _goes_on(row: Line, line: Line, aspect: float) -> bool:
    heights = sorted((row.bottom - row.top, line.bottom - line.top))
    overlap = min(row.bottom, line.bottom) - max(row.top, line.top)
    gap = (line.left - row.right) * aspect / heights[1]
    return overlap >= _SAME_ROW * heights[1] and -0.5 < gap < _WORD_GAP


def _join(row: Line, line: Line) -> Line:
    # Scripts that put no spaces between words begin behind those of Latin, Greek, Arabic and the like.
    space = "" if min(row.text[-1], line.text[0]) >= "\u2e80" else " "
    return Line(
        text=row.text + space + line.text,
        score=min(row.score, line.score),
        left=row.left,
        top=min(row.top, line.top),
        right=max(row.right, line.right),
        bottom=max(row.bottom, line.bottom),
    )


@functools.lru_cache(maxsize=1)
def _engine() -> Any:
    return _import_rapidocr().RapidOCR(params=_SETTINGS)


def _import_rapidocr() -> Any:
    for module in _REQUIRED:
        import_extra(module, extra="words", needed_for="Words in pictures")
    try:
        return importlib.import_module("rapidocr")
    except ImportError as error:
        # The extra cannot hold it: it asks for another package of OpenCV, and two of them break each other.
        raise InputError(
            f"Words in pictures need rapidocr, which is not installed ({error}): pip install --no-deps rapidocr"
        ) from None
