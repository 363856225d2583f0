import av
import numpy as np
import pytest

from tests.bitmap_subtitles import boxed, outlined, write_with_bitmaps
from tests.drawn_words import FONT
from vidmodel_tf.words import bitmap_tracks
from vidmodel_tf.words.bitmap_tracks import bitmap_cues
from vidmodel_tf.words.ocr import Line, has_ocr

FORMATS = [
    ("a.mkv", "hdmv_pgs_subtitle"),
    ("a.mkv", "dvb_subtitle"),
    ("a.ts", "dvb_subtitle"),
    ("a.mkv", "dvd_subtitle"),
]
BOX = np.pad(np.full((20, 200), 2, np.uint8), 4, constant_values=1)


def cues_of(path):
    with av.open(str(path)) as container:
        return bitmap_cues(container, container.streams.subtitles[0])


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_times_and_language(tmp_path, monkeypatch, name, codec):
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: [Line("words", 0.9, 0, 0, 1, 1)])
    # the second is replaced by the third before it goes
    path = write_with_bitmaps(tmp_path / name, [(0.5, 1.5, BOX), (2.0, 3.0, BOX), (3.0, 4.25, BOX[:, :100])], codec)
    cues = cues_of(path)
    times = [seconds for cue in cues for seconds in (cue.start_seconds, cue.end_seconds)]
    assert times == pytest.approx([0.5, 1.5, 2.0, 3.0, 3.0, 4.25], abs=0.01)
    assert {(cue.field, cue.source, cue.text) for cue in cues} == {("subtitles", "tracks:eng", "words")}


def test_letters_are_white_and_outlines_darker(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: seen.append(bgr) or [])
    picture = np.pad(BOX, ((40, 40), (100, 100)))
    assert cues_of(write_with_bitmaps(tmp_path / "a.mkv", [(0.5, 1.5, picture)])) == []
    (drawn,) = seen
    assert drawn.shape == (28 + 80 + 60, 208 + 200 + 60, 3)
    middle, edge = drawn[drawn.shape[0] // 2, drawn.shape[1] // 2, 0], drawn[30 + 41, drawn.shape[1] // 2, 0]
    assert (drawn[0, 0, 0], middle) == (0, 255)
    assert 0 < edge < 100


@pytest.mark.parametrize("above", [0, 12])
def test_letters_on_a_box(tmp_path, monkeypatch, above):
    """The box is thicker than they, and what is around it is clear."""
    seen = []
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: seen.append(bgr) or [])
    picture = np.full((40, 300), 1, np.uint8)
    picture[8:32, 10:300:20] = picture[8:32, 11:300:20] = 2  # strokes
    cues_of(write_with_bitmaps(tmp_path / "a.mkv", [(0.5, 1.5, np.pad(picture, ((above, above), (90, 90))))]))
    (drawn,) = seen
    assert (drawn[30 + above : -30 - above, 120:-120, 0] == np.where(picture == 2, 255, 0)).all()
    assert not drawn[:, :120].any()


def test_a_subtitle_that_does_not_say_until_when(tmp_path, monkeypatch):
    """A DVD's longest time, which encoders write where they do not know it."""
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: [Line("words", 0.9, 0, 0, 1, 1)])
    longest_seconds = 0xFFFF * 1024 / 90_000
    subtitles = [(0.5, 0.5 + longest_seconds, BOX), (2.0, 2.0 + longest_seconds, BOX)]
    cues = cues_of(write_with_bitmaps(tmp_path / "a.mkv", subtitles, "dvd_subtitle"))
    assert [(cue.start_seconds, cue.end_seconds) for cue in cues] == [(0.5, 2.0), (2.0, 12.0)]


@pytest.mark.slow
@pytest.mark.skipif(not has_ocr(), reason="pip install --no-deps rapidocr, and the extra `words`")
@pytest.mark.skipif(not FONT.is_file(), reason="apt-get install fonts-noto-cjk")
@pytest.mark.parametrize("draw", [outlined, boxed])
@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_words_are_read(tmp_path, name, codec, draw):
    texts = ["Hello bitmap", "你好世界", "A longer line of words, to the end"]
    shown = [(number + 0.5, number + 1.25, draw(text, FONT)) for number, text in enumerate(texts)]
    assert [cue.text for cue in cues_of(write_with_bitmaps(tmp_path / name, shown, codec))] == texts
