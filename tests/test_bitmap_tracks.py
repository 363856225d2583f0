import av
import numpy as np
import pytest

from tests.bitmap_subtitles import letters, write_with_bitmaps
from tests.drawn_words import FONT
from vidmodel_tf.words import bitmap_tracks
from vidmodel_tf.words.bitmap_tracks import bitmap_cues
from vidmodel_tf.words.ocr import Line, has_ocr

BOX = np.pad(np.full((20, 200), 2, np.uint8), 4, constant_values=1)


def cues_of(path):
    with av.open(str(path)) as container:
        return bitmap_cues(container, container.streams.subtitles[0])


def test_times_and_language(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: seen.append(bgr) or [Line("words", 0.9, 0, 0, 1, 1)])
    # the second is replaced by the third before it goes
    path = write_with_bitmaps(tmp_path / "a.mkv", [(0.5, 1.5, BOX), (2.0, 3.0, BOX), (3.0, 4.25, BOX[:, :100])])
    cues = cues_of(path)
    times = [seconds for cue in cues for seconds in (cue.start_seconds, cue.end_seconds)]
    assert times == pytest.approx([0.5, 1.5, 2.0, 3.0, 3.0, 4.25], abs=0.01)
    assert {(cue.field, cue.source, cue.text) for cue in cues} == {("subtitles", "tracks:eng", "words")}
    assert seen[0].shape == (28 + 60, 208 + 60, 3)


def test_letters_are_white_and_outlines_darker(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(bitmap_tracks, "read_lines", lambda bgr: seen.append(bgr) or [])
    outlined = np.pad(BOX, ((40, 40), (100, 100)))
    assert cues_of(write_with_bitmaps(tmp_path / "a.mkv", [(0.5, 1.5, outlined)])) == []
    (drawn,) = seen
    middle, edge = drawn[drawn.shape[0] // 2, drawn.shape[1] // 2, 0], drawn[30 + 41, drawn.shape[1] // 2, 0]
    assert (drawn[0, 0, 0], middle) == (0, 255)
    assert 0 < edge < 100


@pytest.mark.slow
@pytest.mark.skipif(not has_ocr(), reason="pip install --no-deps rapidocr, and the extra `words`")
@pytest.mark.skipif(not FONT.is_file(), reason="apt-get install fonts-noto-cjk")
def test_words_are_read(tmp_path):
    texts = ["Hello bitmap", "你好世界", "A longer line of words, to the end"]
    shown = [(number + 0.5, number + 1.25, letters(text, FONT)) for number, text in enumerate(texts)]
    assert [cue.text for cue in cues_of(write_with_bitmaps(tmp_path / "a.mkv", shown))] == texts
