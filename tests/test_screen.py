"""Words that are painted into pictures and read back."""

import importlib.metadata
import sys
import time

import cv2
import numpy as np
import pytest

from tests.drawn_words import CHINESE, ENGLISH, FONT, paint_words, photograph
from tests.videos import write_timed_video
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.words import ocr
from vidmodel_tf.words.finders import screen
from vidmodel_tf.words.finders.screen import find_screen
from vidmodel_tf.words.ocr import Line, read_lines

NEEDS_OCR = pytest.mark.skipif(not ocr.has_ocr(), reason="pip install --no-deps rapidocr, and the extra `words`")
NEEDS_FONT = pytest.mark.skipif(not FONT.is_file(), reason="apt-get install fonts-noto-cjk")
SIZE, FPS = (640, 360), 12


def painted(lines, seconds, shift=0):
    """A frame after the other: each line for `seconds`, after a second without; a clock runs above."""
    for number in range(len(lines) * (seconds + 1) * FPS):
        which, position = divmod(number, (seconds + 1) * FPS)
        frame = photograph(0, SIZE, shift=number * shift)
        frame = paint_words(frame, f"12:03:{number // FPS:02d}", "box", height=0.06)
        yield paint_words(frame, lines[which]) if position >= FPS else frame


def found_in(path, lines, seconds=2, shift=0):
    frames = list(painted(lines, seconds, shift))
    write_timed_video(path, [number / FPS for number in range(len(frames))], size=SIZE, frames=frames)
    return find_screen(path, PrepareConfig())


def test_one_package_of_opencv():
    """Two of them own the same files, and removing either breaks the other."""
    assert importlib.metadata.packages_distributions()["cv2"] == ["opencv-python"]


@NEEDS_OCR
def test_a_strip_is_not_enlarged(monkeypatch):
    """RapidOCR's own settings would make 5888 x 736 pixels of it, and take half a minute."""
    strip = cv2.putText(np.zeros((80, 640, 3), np.uint8), "A strip of words", (60, 50), 0, 1.2, (255, 255, 255), 2)
    shapes, detector = [], ocr._engine()._load_det_model()
    session = detector.session
    monkeypatch.setattr(detector, "session", lambda batch: (shapes.append(batch.shape), session(batch))[1])
    assert [line.text for line in read_lines(strip)] == ["A strip of words"]
    assert len(shapes) == 1
    assert max(shapes[0]) <= 640


@pytest.mark.slow
@NEEDS_OCR
@NEEDS_FONT
@pytest.mark.parametrize("style", ["outline", "box", "white"])
@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_painted_lines_are_read_exactly(texts, style):
    """Prints what the documentation says."""
    pictures = [
        paint_words(photograph(number, SIZE, shift=37 * number), text, style) for number, text in enumerate(texts)
    ]
    pictures = [cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 70])[1] for picture in pictures]
    pictures = [cv2.imdecode(picture, cv2.IMREAD_COLOR) for picture in pictures]
    read_lines(pictures[0])  # loads the models
    began = time.process_time()
    found = [[line.text for line in read_lines(picture)] for picture in pictures]
    seconds = (time.process_time() - began) / len(texts)
    num_exact = sum(text in lines for text, lines in zip(texts, found, strict=True))
    print(f"{num_exact} of {len(texts)} exactly, {seconds:.2f} s of CPU time a picture")
    assert num_exact >= len(texts) - 1, found


@pytest.mark.slow
@NEEDS_OCR
@NEEDS_FONT
@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("lines", [ENGLISH[:3], CHINESE[:3]])
def test_each_line_of_a_video_once_and_no_clock(tmp_path, lines, shift):
    cues = found_in(tmp_path / "a.mp4", lines, shift=shift)
    assert [cue.text for cue in cues] == list(lines)
    assert [cue.start_seconds for cue in cues] == pytest.approx([1, 4, 7], abs=0.5)
    assert [cue.end_seconds for cue in cues] == pytest.approx([3, 6, 9], abs=0.5)
    assert {(cue.field, cue.source) for cue in cues} == {("screen_text", "screen")}


def test_pictures_are_read_where_they_change(tmp_path, monkeypatch):
    """Two a second are looked at; of a still picture the first is read."""
    read = []
    monkeypatch.setattr(screen, "read_lines", lambda bgr: read.append(bgr) or [Line("words", 0.9, 0, 0, 1, 0.1)])
    photos = [photograph(number, SIZE) for number in range(2)]
    frames = [photos[number >= 60] for number in range(120)]
    write_timed_video(tmp_path / "a.mp4", [number / FPS for number in range(120)], size=SIZE, frames=frames)
    (cue,) = find_screen(tmp_path / "a.mp4", PrepareConfig())
    assert (cue.start_seconds, cue.end_seconds) == pytest.approx((0, 10), abs=0.01)
    assert len(read) == 2
    assert np.abs(read[1].astype(int) - frames[-1][..., ::-1]).mean() < 10


def test_parts_of_a_row_are_one_line():
    parts = [
        Line("World", 0.8, 0.4, 0.9, 0.6, 0.95),
        Line("Hello", 0.9, 0.2, 0.9, 0.38, 0.95),
        Line("far", 0.9, 0.8, 0.9, 0.9, 0.95),
    ]
    assert [(line.text, line.score) for line in ocr._join_rows(parts, 16 / 9)] == [("Hello World", 0.8), ("far", 0.9)]
    chinese = [Line("你好", 0.9, 0.2, 0.9, 0.38, 0.95), Line("世界", 0.9, 0.4, 0.9, 0.6, 0.95)]
    assert [line.text for line in ocr._join_rows(chinese, 16 / 9)] == ["你好世界"]


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("pyclipper", r'pip install "vidmodel_tf\[words\]"'),
        ("PIL", r'pip install "vidmodel_tf\[words\]"'),
        ("rapidocr", r"pip install --no-deps rapidocr"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, module, command):
    for name in ocr._REQUIRED:
        pytest.importorskip(name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"Words in pictures need {module}, which is not installed \(.*\): {command}"):
        ocr._import_rapidocr()
    assert not ocr.has_ocr()


def test_not_a_video(tmp_path):
    (tmp_path / "a.mp4").write_text("words")
    with pytest.raises(InputError, match=r"expected a video\. It is a text file"):
        find_screen(tmp_path / "a.mp4", PrepareConfig())
