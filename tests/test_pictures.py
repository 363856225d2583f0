import warnings

import cv2
import numpy as np
import pytest

from tests.videos import paint_frame
from vidmodel_tf.pages.pictures import save_confusion_matrix, save_contact_sheet, save_reliability_diagram, text_image

CAPTIONS = ["plain", "一个红色的视频 🎬", "ビデオ 한국어 עברית", "x" * 400]


def read(path):
    return cv2.imread(str(path))


def test_confusion_matrix_is_darker_where_the_counts_are_higher(tmp_path):
    one, other = tmp_path / "a.png", tmp_path / "b.png"
    save_confusion_matrix(one, [[9, 1], [2, 8]], ["red", "蓝色"], "title")
    save_confusion_matrix(other, [[1, 9], [2, 8]], ["red", "蓝色"], "title")
    assert read(one).shape == read(other).shape
    assert not np.array_equal(read(one), read(other))


@pytest.mark.parametrize("num_classes", [2, 30, 120])
def test_many_classes_and_long_names_do_not_crash(tmp_path, num_classes):
    names = [f"类别 {'long ' * 20}{i}" for i in range(num_classes)]
    save_confusion_matrix(tmp_path / "a.png", np.eye(num_classes, dtype=int).tolist(), names, "many")
    height, width, _ = read(tmp_path / "a.png").shape
    assert min(height, width) > 100


def test_reliability_diagram(tmp_path):
    save_reliability_diagram(tmp_path / "a.png", [0.2, None], [0.1, None], [5, 0], "title")
    assert read(tmp_path / "a.png").std() > 0


def test_contact_sheet_shows_every_clip_s_frames(tmp_path):
    jpegs = [cv2.imencode(".jpg", paint_frame(i * 100))[1].tobytes() for i in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_contact_sheet(tmp_path / "one.png", [(CAPTIONS[0], jpegs)])
        save_contact_sheet(tmp_path / "all.png", [(caption, jpegs) for caption in CAPTIONS])
    one, several = read(tmp_path / "one.png"), read(tmp_path / "all.png")
    assert several.shape[0] > 3 * one.shape[0]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["all.png", "one.png"]


@pytest.mark.parametrize("text", CAPTIONS)
def test_text_is_drawn_and_fits(text):
    image = text_image(text, 16, max_width=300)
    assert image.shape[1] <= 300
    assert image.min() < 100


def drawn(text):
    """One character after the other, as OpenCV draws them."""
    face = cv2.FontFace("uni")
    x, _, width, _ = cv2.getTextSize((0, 0), text, (0, 18), face, 16)
    image = np.full((24, x + width + 2, 3), 255, np.uint8)
    return cv2.putText(image, text, (0, 18), (0, 0, 0), face, 16)[1]


@pytest.mark.parametrize(
    ("text", "order"),
    [("אבג 0.93", "0.93 גבא"), ("fight אבג דהו 12", "fight 12 והד גבא"), ("قتال 12 في", "يف 12 لاتق")],
)
def test_text_from_right_to_left_is_drawn_in_its_order(text, order):
    np.testing.assert_array_equal(text_image(text, 16), drawn(order))


def test_the_end_of_a_long_name_is_left_out_whichever_way_it_is_read():
    for text, kept in [("abcdefghij" * 9, "abcdefghij..."), ("אבגדהוזחטי" * 9, "...יטחזוהדגבא")]:
        np.testing.assert_array_equal(text_image(text, 16, drawn(kept).shape[1]), drawn(kept))
