"""Pictures to look at: confusion matrix, reliability diagram, contact sheet; PNG files. No TensorFlow.

Names and captions are any Unicode. matplotlib's own font lacks Chinese, Japanese and Korean, and a server seldom has
others, so these words are drawn by OpenCV, whose built-in font has them; a character that it lacks (an emoji, a letter
of India or Thailand) shows as "?".
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bidi import get_display

from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.video.opencv import import_opencv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100
MARGIN = 12  # pixels around and between the parts of a picture
TEXT_SIZE = 15  # pixels
TITLE_SIZE = 19  # pixels
MAX_NAME_WIDTH = 220  # pixels; longer class names are cut
MAX_CLASSES_WITH_COUNTS = 20  # in a matrix of more classes numbers would only be grey noise
MAX_CLASSES_WITH_NAMES = 60
MAX_SHEET_WIDTH = 4000  # pixels
THUMBNAIL_HEIGHT = 72  # pixels


def save_confusion_matrix(
    path: str | Path, matrix: Sequence[Sequence[int]], class_names: Sequence[str], title: str
) -> None:
    """Draws counts [K, K] (rows: truth, columns: answer), each cell as dark as its share of the row.

    Raises:
        InputError: The matrix does not fit the names.
    """
    counts = np.asarray(matrix)
    num_classes = len(class_names)
    if not num_classes or counts.shape != (num_classes, num_classes):
        raise InputError(f"matrix: expected {num_classes} x {num_classes}, at least 1 x 1. Received: {counts.shape}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [text_image(name, TEXT_SIZE, MAX_NAME_WIDTH) for name in class_names]
    if num_classes > MAX_CLASSES_WITH_NAMES:
        names = [text_image(str(class_id), TEXT_SIZE // 2) for class_id in range(num_classes)]
    cell = _cell_size(counts)
    truth, answer = np.rot90(text_image("truth", TEXT_SIZE)), text_image("answer", TEXT_SIZE)
    heading = text_image(title, TITLE_SIZE)
    name_width = max(name.shape[1] for name in names)

    left = MARGIN + truth.shape[1] + name_width + MARGIN // 2
    top = 2 * MARGIN + heading.shape[0] + answer.shape[0] + name_width + MARGIN // 2
    side = cell * num_classes
    width = max(left + side, heading.shape[1] + MARGIN) + MARGIN
    figure = _figure(width, top + side + MARGIN)
    _draw_cells(figure, (left, top, side), counts, shares)
    _paste(figure, heading, MARGIN, MARGIN)
    _paste(figure, answer, left + (side - answer.shape[1]) // 2, 2 * MARGIN + heading.shape[0])
    _paste(figure, truth, MARGIN, top + (side - truth.shape[0]) // 2)
    for class_id, name in enumerate(names):
        middle = class_id * cell + (cell - name.shape[0]) // 2
        _paste(figure, name, left - MARGIN // 2 - name.shape[1], top + middle)
        _paste(figure, np.rot90(name), left + middle, top - MARGIN // 2 - name.shape[1])
    _save(figure, path)


def save_reliability_diagram(
    path: str | Path,
    confidences: Sequence[float | None],
    accuracies: Sequence[float | None],
    counts: Sequence[int],
    title: str,
) -> None:
    """Draws how often scores come true; on the diagonal they mean what they say.

    Args:
        path: The PNG file.
        confidences: The mean score of each bin, from low to high; None where it is empty.
        accuracies: The share of each bin that is right; None where it is empty.
        counts: How many scores each bin has.
        title: Above the picture.
    """
    heading = text_image(title, TITLE_SIZE)
    figure = _figure(max(460, heading.shape[1] + 2 * MARGIN), 540)
    width, height = figure.get_size_inches() * DPI
    _paste(figure, heading, MARGIN, MARGIN)
    upper = figure.add_axes((60 / width, 170 / height, (width - 80) / width, (height - 170 - 50) / height))
    lower = figure.add_axes((60 / width, 50 / height, (width - 80) / width, 100 / height), sharex=upper)
    bar_width = 1 / len(counts)
    centers = (np.arange(len(counts)) + 0.5) * bar_width
    upper.bar(centers, [accuracy or 0 for accuracy in accuracies], bar_width * 0.92, color="#6baed6")
    # None becomes NaN, where nothing is drawn.
    points = np.array(confidences, np.float64), np.array(accuracies, np.float64)
    upper.plot(*points, "o", color="#08519c", markersize=4)
    upper.plot([0, 1], [0, 1], color="#888888", linestyle="--", linewidth=1)
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that is right")
    upper.tick_params(labelbottom=False)
    lower.bar(centers, counts, bar_width * 0.92, color="#bdbdbd")
    lower.set(xlabel="score", ylabel="how many")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def save_contact_sheet(path: str | Path, rows: Sequence[tuple[str, Sequence[bytes]]]) -> None:
    """Draws clips one below the other: the caption, and under it the frames side by side.

    Args:
        path: The PNG file.
        rows: A caption and JPEG frames in order, for each clip; frames that do not fit into 4000 pixels of width are
            left out.

    Raises:
        InputError: There is no row, or a frame is not an image.
    """
    if not rows:
        raise InputError("a contact sheet needs at least one clip. Received: none")
    strips = [_strip(frames, THUMBNAIL_HEIGHT, caption) for caption, frames in rows]
    room = max(320, *(strip.shape[1] for strip in strips))
    bands = []
    for (caption, _), strip in zip(rows, strips, strict=True):
        bands += [_padded(text_image(caption, TEXT_SIZE, room), room), _padded(strip, room)]
        bands.append(np.full((MARGIN, room, 3), 255, np.uint8))
    sheet = np.pad(np.vstack(bands), ((MARGIN, 0), (MARGIN, MARGIN), (0, 0)), constant_values=255)
    with atomic_write(path) as beside:
        encoded = import_opencv().imencode(".png", sheet)[1]
        beside.write_bytes(encoded.tobytes())


def text_image(text: str, size: int, max_width: int | None = None) -> np.ndarray:
    """One line of black text on white, uint8 [height, width, 3].

    Its end is left out where it is wider than `max_width` pixels.

    Hebrew and Arabic stand in the order in which they are read. Arabic letters do not join: OpenCV's font has only the
    forms in which they stand alone.
    """
    text = " ".join(text.split()) or " "
    image = _rendered(text, size)
    if max_width is None or image.shape[1] <= max_width:
        return image
    num_fitting = bisect.bisect(range(len(text)), max_width, key=lambda end: _cut(text, end, size).shape[1])
    return _cut(text, max(num_fitting - 1, 0), size)


def _cut(text: str, end: int, size: int) -> np.ndarray:
    return _rendered(f"{text[:end]}...", size)


def _rendered(text: str, size: int) -> np.ndarray:
    """Draws one character after the other from left to right, as OpenCV does."""
    cv2, text = import_opencv(), get_display(text)
    height, baseline = round(size * 1.5), round(size * 1.1)
    if not hasattr(cv2, "FontFace"):  # OpenCV 4 has ASCII only
        text, scale = text.encode("ascii", "backslashreplace").decode(), size / 30
        (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        image = np.full((height, width + 2, 3), 255, np.uint8)
        return cv2.putText(image, text, (0, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)
    face = cv2.FontFace("uni")
    x, _, width, _ = cv2.getTextSize((0, 0), text, (0, baseline), face, size)
    image = np.full((height, x + width + 2, 3), 255, np.uint8)
    return cv2.putText(image, text, (0, baseline), (0, 0, 0), face, size)[1]


def _figure(width: int, height: int) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: str | Path) -> None:
    with atomic_write(path) as beside:
        figure.savefig(beside, format="png", dpi=DPI)


def _paste(figure: Figure, image: np.ndarray, left: int, top: int) -> None:
    figure.figimage(image, left, round(figure.get_figheight() * DPI) - top - image.shape[0])


def _cell_size(counts: np.ndarray) -> int:
    """Pixels: room for the longest count, or less where no counts or no names are written."""
    if len(counts) <= MAX_CLASSES_WITH_COUNTS:
        return max(34, 12 + 9 * len(str(counts.max())))
    return 22 if len(counts) <= MAX_CLASSES_WITH_NAMES else 12


def _draw_cells(figure: Figure, box: tuple[int, int, int], counts: np.ndarray, shares: np.ndarray) -> None:
    left, top, side = box
    width, height = figure.get_size_inches() * DPI
    axes = figure.add_axes((left / width, 1 - (top + side) / height, side / width, side / height))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("#bbbbbb")
    if len(counts) > MAX_CLASSES_WITH_COUNTS:
        return
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.55 else "black" if count else "#bbbbbb"
        axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=9)


def _strip(frames: Sequence[bytes], height: int, caption: str) -> np.ndarray:
    cv2 = import_opencv()
    thumbnails: list[np.ndarray] = [np.full((height, 0, 3), 255, np.uint8)]
    for frame in frames:
        picture = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR) if frame else None
        if picture is None:
            raise InputError(f"expected JPEG frames. Received: {len(frame)} bytes that are none, in clip {caption!r}")
        width = max(1, round(picture.shape[1] * height / picture.shape[0]))
        thumbnails.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    return np.hstack(thumbnails)[:, :MAX_SHEET_WIDTH]


def _padded(image: np.ndarray, width: int) -> np.ndarray:
    return np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)), constant_values=255)
