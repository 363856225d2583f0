"""Draws into a picture what the model says of it: the scores as bars, the time, and the events that are going on."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from vidmodel_tf.pages.pictures import text_image
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.timed_scores import HeadScores
from vidmodel_tf.timelines.clock_text import clock_text
from vidmodel_tf.timelines.document import Document

MAX_ROWS_OF_HEAD = 5
MAX_EVENTS = 4  # that are drawn at a time
PANEL_SHARE = 0.6  # of the height, for scores
BACKGROUND = 0.3  # how much of the picture is left behind text
HEAD_BRIGHTNESS = 0.6  # of the names of heads, beside those of classes
BAR_COLOR, RUNNING_COLOR, EMPTY_COLOR = (200, 170, 70), (60, 110, 250), (95, 95, 95)  # blue, green, red
TIME_CHARACTERS = "0123456789:."


@dataclasses.dataclass(frozen=True, eq=False)
class ScoreRow:
    """One line of the panel.

    Attributes:
        text: uint8 [height, width], as bright as the letters are.
        head: Of the class, or the head that the line names.
        label: The class; None in a line that names a head.
        track: float64 [S], the scores; None likewise.
    """

    text: np.ndarray
    head: str
    label: str | None = None
    track: np.ndarray | None = None


class ScoreOverlay:
    """What is drawn into the pictures of one video. Texts are rendered once.

    Args:
        document: Scores and events.
        size: (width, height) of the pictures, upright.
    """

    def __init__(self, document: Document, size: tuple[int, int]) -> None:
        width, height = size
        self._document = document
        self._text_size = max(10, round(min(size) / 36))
        self._margin = self._text_size // 2
        self._bar_width = max(40, round(width * 0.14))
        self._max_width = width - 4 * self._margin  # of an event
        self._rows = self._score_rows(round(height * PANEL_SHARE), round(width * 0.3))
        self._numbers = [self._mask(f"{number / 100:.2f}") for number in range(101)]
        self._times = {character: self._mask(character) for character in TIME_CHARACTERS}
        self._event_mask = functools.lru_cache(maxsize=32)(self._mask_of_event)

    def draw(self, bgr: np.ndarray, seconds: float) -> None:
        """Draws into a picture.

        Args:
            bgr: uint8 [H, W, 3], contiguous; is changed.
            seconds: When it is displayed in the video.
        """
        self._draw_scores(bgr, seconds)
        self._draw_time(bgr, seconds)
        self._draw_events(bgr, seconds)

    def _score_rows(self, max_height: int, max_width: int) -> list[ScoreRow]:
        heads = self._document.scores.heads
        num_rows = max(1, max_height // round(self._text_size * 1.5))
        has_names = len(heads) > 1
        each = MAX_ROWS_OF_HEAD
        while each > 1 and sum(min(each, len(head.labels)) + has_names for head in heads.values()) > num_rows:
            each -= 1
        rows: list[ScoreRow] = []
        for name, head in heads.items():
            if has_names:
                rows.append(ScoreRow((self._mask(name, max_width) * HEAD_BRIGHTNESS).astype(np.uint8), name))
            for label in _highest(head, each):
                rows.append(ScoreRow(self._mask(label, max_width), name, label, head.track(label)))
        return rows[:num_rows]

    def _mask(self, text: str, max_width: int | None = None) -> np.ndarray:
        return 255 - text_image(text, self._text_size, max_width)[..., 0]

    def _mask_of_event(self, event: Event) -> np.ndarray:
        decision = f" {event.decision}" if event.decision else ""
        score = self._mask(f"{event.score:.2f}{decision}", self._max_width // 2)
        space = np.zeros((len(score), self._margin), np.uint8)
        return np.hstack([self._mask(event.label, self._max_width - score.shape[1] - self._margin), space, score])

    def _draw_scores(self, bgr: np.ndarray, seconds: float) -> None:
        if not self._rows or not self._document.scores.num_steps:
            return
        step = min(int(seconds / self._document.settings.step_seconds + 1e-6), self._document.scores.num_steps - 1)
        running = {(event.head, event.label) for event in self._running(seconds)}
        margin, row_height = self._margin, self._rows[0].text.shape[0]
        text_width = max(row.text.shape[1] for row in self._rows)
        bar_left = 2 * margin + text_width + margin
        number_left = bar_left + self._bar_width + margin
        right = number_left + self._numbers[0].shape[1] + margin
        _darken(bgr, margin, margin, right, margin + row_height * len(self._rows))
        for number, row in enumerate(self._rows):
            top = margin + number * row_height
            _write(bgr, row.text, 2 * margin, top)
            if row.track is not None:
                score = float(row.track[step])
                color = RUNNING_COLOR if (row.head, row.label) in running else BAR_COLOR
                self._draw_bar(bgr, bar_left, top, row_height, score, color)
                _write(bgr, self._numbers[round(score * 100)], number_left, top)

    def _draw_bar(
        self, bgr: np.ndarray, left: int, top: int, row_height: int, score: float, color: tuple[int, int, int]
    ) -> None:
        rows = slice(top + row_height // 4, top + row_height - row_height // 4)
        bgr[rows, left : left + self._bar_width] = EMPTY_COLOR
        bgr[rows, left : left + round(score * self._bar_width)] = color

    def _draw_time(self, bgr: np.ndarray, seconds: float) -> None:
        mask = np.hstack([self._times[character] for character in clock_text(seconds)])
        left = bgr.shape[1] - self._margin - mask.shape[1]
        bottom = bgr.shape[0] - self._margin
        _darken(bgr, left, bottom - mask.shape[0], left + mask.shape[1], bottom)
        _write(bgr, mask, left, bottom - mask.shape[0])

    def _draw_events(self, bgr: np.ndarray, seconds: float) -> None:
        """One above the other; over the line of the time, so that both have room in a narrow picture."""
        margin = self._margin
        bottom = bgr.shape[0] - 2 * margin - self._numbers[0].shape[0]
        for event in self._running(seconds)[:MAX_EVENTS]:
            mask = self._event_mask(event)
            top, right = bottom - mask.shape[0], 3 * margin + mask.shape[1]
            _darken(bgr, margin, top, right, bottom)
            bgr[max(top, 0) : bottom, margin : margin + margin // 2 + 1] = RUNNING_COLOR
            _write(bgr, mask, 2 * margin, top)
            bottom = top - margin // 2

    def _running(self, seconds: float) -> list[Event]:
        return [event for event in self._document.events if event.start_seconds <= seconds < event.end_seconds]


def _highest(head: HeadScores, count: int) -> list[str]:
    """The classes that score highest anywhere in the video, in the order of their ids, so that lines stay in place."""
    peaks = head.scores.max(axis=0, initial=0.0)
    return [head.labels[number] for number in sorted(np.argsort(-peaks, kind="stable")[:count])]


def _darken(bgr: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    part = bgr[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    part[:] = (part * BACKGROUND).astype(np.uint8)


def _write(bgr: np.ndarray, mask: np.ndarray, left: int, top: int) -> None:
    """White letters; what does not fit is cut off."""
    mask = mask[max(-top, 0) :, max(-left, 0) :]
    part = bgr[max(top, 0) :, max(left, 0) :][: mask.shape[0], : mask.shape[1]]
    np.maximum(part, mask[: part.shape[0], : part.shape[1], None], out=part)
