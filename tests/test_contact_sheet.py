from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.timeline_documents import make_document, make_event
from tests.videos import read_frame_number, write_timed_video
from vidmodel_tf.clips.read_file import read_file
from vidmodel_tf.errors import InputError
from vidmodel_tf.pages.pictures import MARGIN, TITLE_SIZE, text_image
from vidmodel_tf.timelines import contact_sheet as module
from vidmodel_tf.timelines.contact_sheet import CARD_WIDTH, DAMAGED_GREY, contact_sheet

FILM = [number / 25 for number in range(250)]
SIZE = (96, 72)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without a process, which takes a second to start."""
    monkeypatch.setattr(module, "read_clips", lambda requests, **_: zip(requests, read_file(requests), strict=True))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_timed_video(tmp_path_factory.mktemp("film") / "film.mp4", FILM, options={"g": "25"}, size=SIZE)


def sheet(tmp_path, document, name: str = "a.png") -> np.ndarray:
    contact_sheet(document, tmp_path / name)
    return cv2.imread(str(tmp_path / name))


def numbers(picture: np.ndarray, size: tuple[int, int] = SIZE) -> list[int]:
    """The frame numbers of the thumbnails in the first row."""
    width, height = (round(side * CARD_WIDTH / max(size)) for side in size)
    top = 2 * MARGIN + len(text_image("heading", TITLE_SIZE))
    found = []
    for left in range(MARGIN, picture.shape[1] - CARD_WIDTH, CARD_WIDTH + MARGIN):
        left += (CARD_WIDTH - width) // 2
        card = picture[top : top + height, left : left + width]
        if (card == DAMAGED_GREY).mean() < 0.1:
            found.append(read_frame_number(card))
    return found


def test_each_event_shows_the_picture_of_its_peak(tmp_path, film):
    events = [make_event(number, number, number + 1.0, peak_seconds=number + 0.4) for number in range(1, 5)]
    picture = sheet(tmp_path, make_document(film, events, step_seconds=0.2))
    assert numbers(picture) == [(number * 25 + 10) + 2 for number in range(1, 5)]  # the middle of the step
    assert picture.shape[1] == 4 * (CARD_WIDTH + MARGIN) + MARGIN


def test_the_highest_of_many_events_in_order_of_time(tmp_path, film, monkeypatch):
    monkeypatch.setattr("vidmodel_tf.timelines.contact_sheet.MAX_EVENTS", 3)
    events = [
        make_event(number, number, number + 1.0, peak_seconds=number, score=score)
        for number, score in enumerate((0.9, 0.1, 0.95, 0.2, 0.91))
    ]
    assert numbers(sheet(tmp_path, make_document(film, events, step_seconds=0.2))) == [2, 52, 102]


def test_text_differs_by_label_score_time_and_decision(tmp_path, film):
    plain = {"start": 1.0, "end": 2.0, "peak_seconds": 1.0}
    pictures = [
        sheet(tmp_path, make_document(film, [make_event(1, **{**plain, **fields})], step_seconds=0.04)).tobytes()
        for fields in ({}, {"label": "打架"}, {"label": "草莓"}, {"score": 0.5}, {"decision": "review"})
    ]
    assert len(set(pictures)) == 5


def test_more_than_a_row(tmp_path, film):
    events = [make_event(number, number, number + 1.0) for number in range(8)]
    one, two = (sheet(tmp_path, make_document(film, events[:count])) for count in (6, 8))
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] > 1.7 * one.shape[0]


def test_portrait(tmp_path):
    path = write_timed_video(tmp_path / "p.mp4", FILM[:50], size=(72, 128))
    picture = sheet(tmp_path, make_document(path, [make_event(1, 0.0, 1.0, peak_seconds=0.8)], step_seconds=0.2))
    assert numbers(picture, (72, 128)) == [22]


def test_no_events(tmp_path):
    picture = sheet(tmp_path, make_document(tmp_path / "gone.mp4"), "a.jpg")
    assert picture.shape[0] < 80
    assert (picture < 100).any()


def test_a_part_that_is_damaged_is_grey(tmp_path, film):
    events = [make_event(1, 1.0, 2.0, peak_seconds=1.0), make_event(2, 90.0, 91.0, peak_seconds=90.0)]
    picture = sheet(tmp_path, make_document(film, events, step_seconds=0.2))
    assert numbers(picture) == [27]
    assert (picture == DAMAGED_GREY).all(-1).sum() > 10_000


def test_a_video_that_has_gone(tmp_path):
    with pytest.raises(InputError, match=r"expected the video of the timeline\. There is no such file"):
        sheet(tmp_path, make_document(tmp_path / "gone.mp4", [make_event()]))
