import cv2
import numpy as np
import pytest

from tests.drawn_words import photograph
from vidmodel_tf.words.picture_change import may_differ, strokes

SIZE = (640, 360)


def compressed(rgb, quality=70):
    return cv2.imdecode(cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def with_words(rgb, text, thickness=2):
    painted = rgb.copy()
    for color, width in ((0, 0, 0), thickness + 3), ((255, 255, 255), thickness):
        cv2.putText(painted, text, (160, 330), cv2.FONT_HERSHEY_SIMPLEX, 0.8, color, width, cv2.LINE_AA)
    return painted


@pytest.mark.parametrize("size", [SIZE, (1280, 720)])
@pytest.mark.parametrize("number", [0, 1])
def test_words_that_come_go_or_change(number, size):
    photo = photograph(number, SIZE)
    pictures = (photo, with_words(photo, "No, never"), with_words(photo, "Yes, soon"))
    empty, one, other = (strokes(compressed(cv2.resize(picture, size))) for picture in pictures)
    assert may_differ(empty, one)
    assert may_differ(one, other)
    assert may_differ(other, empty)


def test_the_same_picture_compressed_in_another_way():
    words = with_words(cv2.GaussianBlur(photograph(1, SIZE), (0, 0), 2), "No, never")
    assert not may_differ(strokes(compressed(words, 70)), strokes(compressed(words, 90)))


def test_pictures_of_another_shape_differ():
    assert may_differ(np.zeros((0, 0), np.float32), strokes(np.zeros((72, 96, 3), np.uint8)))
    assert not may_differ(*[strokes(np.zeros((72, 96, 3), np.uint8))] * 2)
