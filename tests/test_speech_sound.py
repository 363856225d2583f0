import numpy as np
import pytest

from tests.sounding_videos import Track, tone, write_sounding
from tests.videos import write_video
from vidmodel_tf.errors import InputError
from vidmodel_tf.words import speech_sound
from vidmodel_tf.words.speech_sound import RATE, read_speech_sound


def frequency(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples))


def test_samples_are_those_of_the_file(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, 3 * RATE).astype(np.float32)
    (piece,) = read_speech_sound(write_sounding(tmp_path / "a.mkv", [Track([(0.0, samples)])]), ["en"])
    assert piece.start_seconds == pytest.approx(0, abs=0.001)
    assert piece.samples.dtype == np.float32
    np.testing.assert_allclose(piece.samples, samples, atol=1 / 32768)


def test_another_rate_becomes_16_kilohertz(tmp_path):
    path = write_sounding(tmp_path / "a.mkv", [Track([(0.0, tone(2.0, 440, 44_100))], rate=44_100)])
    (piece,) = read_speech_sound(path, ["en"])
    assert len(piece.samples) == pytest.approx(2 * RATE, abs=100)
    assert frequency(piece.samples) == pytest.approx(440, abs=1)


def test_a_late_start_and_a_gap_keep_their_times(tmp_path):
    path = write_sounding(tmp_path / "a.mkv", [Track([(1.0, tone(1.0, 440)), (4.0, tone(1.0, 880))])])
    (piece,) = read_speech_sound(path, ["en"])
    assert piece.start_seconds == pytest.approx(1.0, abs=0.001)
    assert len(piece.samples) == pytest.approx(4 * RATE, abs=RATE // 100)
    assert frequency(piece.samples[:RATE]) == pytest.approx(440, abs=2)
    assert not piece.samples[RATE + 100 : 3 * RATE - 100].any()
    assert frequency(piece.samples[3 * RATE :]) == pytest.approx(880, abs=2)


def test_a_long_gap_takes_no_memory(tmp_path):
    path = write_sounding(tmp_path / "a.mkv", [Track([(0.0, tone(1.0, 440)), (3000.0, tone(1.0, 880))])])
    first, second = read_speech_sound(path, ["en"])
    assert (first.start_seconds, second.start_seconds) == pytest.approx((0, 3000), abs=0.001)
    assert len(first.samples) + len(second.samples) == 2 * RATE


def test_long_sound_is_cut_where_it_is_quiet(tmp_path, monkeypatch):
    monkeypatch.setattr(speech_sound, "PIECE_SECONDS", 4)
    monkeypatch.setattr(speech_sound, "CUT_WITHIN_SECONDS", 2)
    samples = tone(6.0, 440)
    samples[int(2.8 * RATE) : int(3.2 * RATE)] = 0
    first, second = read_speech_sound(write_sounding(tmp_path / "a.mkv", [Track([(0.0, samples)])]), ["en"])
    assert 2.8 < second.start_seconds < 3.2
    assert second.start_seconds == pytest.approx(len(first.samples) / RATE, abs=0.001)
    np.testing.assert_allclose(np.concatenate([first.samples, second.samples]), samples, atol=1 / 32768)


@pytest.mark.parametrize(("languages", "expected"), [(["de"], 880), (["fr", "en"], 440), (["fr"], 440)])
def test_the_track_in_the_first_language_is_read(tmp_path, languages, expected):
    tracks = [Track([(0.0, tone(1.0, 440))], language="eng"), Track([(0.0, tone(1.0, 880))], language="ger")]
    (piece,) = read_speech_sound(write_sounding(tmp_path / "a.mkv", tracks), languages)
    assert frequency(piece.samples) == pytest.approx(expected, abs=2)


def test_a_video_without_sound(tmp_path):
    assert list(read_speech_sound(write_video(tmp_path / "a.mp4"), ["en"])) == []


def test_damaged_sound_is_left_out(tmp_path):
    path = write_sounding(tmp_path / "a.mkv", [Track([(0.0, tone(2.0, 440))])])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2000] = bytes(2000)
    path.write_bytes(data)
    assert 0 < sum(len(piece.samples) for piece in read_speech_sound(path, ["en"])) <= 2 * RATE


def test_not_a_video(tmp_path):
    (tmp_path / "a.mp4").write_text("words")
    with pytest.raises(InputError, match=r"expected a video\. It is a text file"):
        list(read_speech_sound(tmp_path / "a.mp4", ["en"]))
