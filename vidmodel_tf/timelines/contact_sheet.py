"""One picture of the events of a video: of each the moment with the highest score, and what it was taken for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip
from vidmodel_tf.clips.read_clips import read_clips
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.pages.pictures import MARGIN, TEXT_SIZE, TITLE_SIZE, text_image
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.timelines.clock_text import clock_text
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.video.opencv import import_opencv

MAX_EVENTS = 60
NUM_COLUMNS = 6
CARD_WIDTH = 220  # pixels, also the longer side of a picture
DAMAGED_GREY = 200
READ_SIZE = 256  # pixels, the shorter side as read: enough for pictures that are twice as long as wide


def contact_sheet(
    document: Document, out: str | Path, *, timeout_seconds: float = PrepareConfig().timeout_seconds
) -> None:
    """Draws the events in order of time, each with its label, score, time and decision.

    Of more than 60 events those with the highest scores are drawn; the heading says so.

    Args:
        document: The events, and the path of the video.
        out: The picture; its suffix names the format (.jpg, .png); whole or not at all.
        timeout_seconds: For the picture of one event, which is decoded in a process of its own.

    Raises:
        InputError: The video is no longer there.
    """
    events, out = _chosen(document.events), Path(out)
    if events and not Path(document.video.path).is_file():
        raise InputError("expected the video of the timeline. There is no such file", subject=document.video.path)
    pictures = _pictures(document, events, timeout_seconds)
    cards = [_card(event, picture) for event, picture in zip(events, pictures, strict=True)]
    heading = text_image(_heading(document, len(events)), TITLE_SIZE, NUM_COLUMNS * CARD_WIDTH)
    sheet = _stacked([heading, *_rows(cards)], MARGIN)
    with atomic_write(out) as beside:
        beside.write_bytes(import_opencv().imencode(out.suffix, sheet)[1].tobytes())


def _chosen(events: Sequence[Event]) -> list[Event]:
    highest = sorted(events, key=lambda event: -event.score)[:MAX_EVENTS]
    return sorted(highest, key=lambda event: (event.start_seconds, event.peak_seconds))


def _heading(document: Document, num_shown: int) -> str:
    total = len(document.events)
    counted = (
        f"{total} event{'s' * (total != 1)}" if total == num_shown else f"the highest {num_shown} of {total} events"
    )
    decision = f" ({document.decision})" if document.decision else ""
    return f"{Path(document.video.path).name}: {counted}{decision}"


def _pictures(document: Document, events: Sequence[Event], timeout_seconds: float) -> list[np.ndarray | None]:
    """The picture on display in the middle of the step with the highest score, uint8 [h, w, 3]; None: it is damaged."""
    step = document.settings.step_seconds
    requests = [
        ClipRequest(document.video.path, 1, READ_SIZE, 95, event.peak_seconds, event.peak_seconds + step)
        for event in events
    ]
    answers = read_clips(requests, num_workers=1, timeout_seconds=timeout_seconds)
    return [_thumbnail(answer.jpeg_frames[0]) if isinstance(answer, DecodedClip) else None for _, answer in answers]


def _thumbnail(jpeg: bytes) -> np.ndarray:
    cv2 = import_opencv()
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    scale = CARD_WIDTH / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _card(event: Event, picture: np.ndarray | None) -> np.ndarray:
    """The picture, and two lines of text under it: uint8 [h, CARD_WIDTH, 3]."""
    if picture is None:
        picture = np.full((CARD_WIDTH // 2, CARD_WIDTH, 3), DAMAGED_GREY, np.uint8)
    left = (CARD_WIDTH - picture.shape[1]) // 2
    picture = np.pad(picture, ((0, 0), (left, CARD_WIDTH - picture.shape[1] - left), (0, 0)), constant_values=255)
    score = text_image(f"{event.score:.2f}", TEXT_SIZE)
    label = text_image(event.label, TEXT_SIZE, CARD_WIDTH - score.shape[1] - MARGIN)
    space = np.full((len(score), CARD_WIDTH - label.shape[1] - score.shape[1], 3), 255, np.uint8)
    when = clock_text(event.peak_seconds) + (f"  {event.decision}" if event.decision else "")
    return _stacked([picture, np.hstack([label, space, score]), text_image(when, TEXT_SIZE, CARD_WIDTH)])


def _rows(cards: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [_side_by_side(cards[first : first + NUM_COLUMNS]) for first in range(0, len(cards), NUM_COLUMNS)]


def _side_by_side(cards: Sequence[np.ndarray]) -> np.ndarray:
    height = max(len(card) for card in cards)
    padded = [
        np.pad(card, ((0, height - len(card)), (0, MARGIN * (number + 1 < len(cards))), (0, 0)), constant_values=255)
        for number, card in enumerate(cards)
    ]
    return np.hstack(padded)


def _stacked(images: Sequence[np.ndarray], margin: int = 0) -> np.ndarray:
    """One below the other, with a margin around and between them."""
    width = max(image.shape[1] for image in images)
    parts = [
        np.pad(image, ((margin, 0), (margin, margin + width - image.shape[1]), (0, 0)), constant_values=255)
        for image in images
    ]
    return np.pad(np.vstack(parts), ((0, margin), (0, 0), (0, 0)), constant_values=255)
