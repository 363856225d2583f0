"""What is said in a video -> cues, by Whisper models, on the processor and without a network."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.words.cues import Cue
from vidmodel_tf.words.speech_model import load_speech_model
from vidmodel_tf.words.speech_sound import RATE, SpeechSound, read_speech_sound
from vidmodel_tf.workers import num_usable_cores

VERSION = 1
FIELDS = ("speech",)

_MIN_SECONDS = 0.5
_BEAM_SIZE = 5


def find_speech(path: Path, settings: PrepareConfig) -> tuple[Cue, ...]:
    """What is said, sentence by sentence; nothing where the video has no sound, or nobody speaks.

    The packaged model understands English alone and hears English in every language; others tell the language.

    Args:
        path: The video.
        settings: `speech_model`, and `languages`, by which one of several sound tracks is chosen.

    Raises:
        InputError: The model is missing or damaged, or the file is not a video.
    """
    model = _load(settings.speech_model, _num_threads(settings))
    source = f"speech:{Path(settings.speech_model).name}"
    pieces = read_speech_sound(path, settings.languages)
    return tuple(
        Cue(start_seconds, end_seconds, "speech", text, source)
        for piece in pieces
        for start_seconds, end_seconds, text in _recognise(model, piece)
    )


def _recognise(model: Any, sound: SpeechSound) -> Iterator[tuple[float, float, str]]:
    """Start and end in seconds, and text, of each sentence."""
    length_seconds = len(sound.samples) / RATE
    if length_seconds < _MIN_SECONDS:
        return
    segments, _ = model.transcribe(
        sound.samples,
        beam_size=_BEAM_SIZE,
        temperature=0.0,  # above, the same sound would give other words each time
        vad_filter=True,  # in silence Whisper hears words that nobody says
        condition_on_previous_text=False,  # else it repeats itself without end
    )
    for segment in segments:
        start, end = segment.start, min(segment.end, length_seconds)
        if text := " ".join(segment.text.split()):
            yield sound.start_seconds + min(start, end), sound.start_seconds + end, text


def _num_threads(settings: PrepareConfig) -> int:
    """The cores are shared by the processes that find words."""
    cores = num_usable_cores()
    return max(cores // (settings.num_workers or cores), 1)


@functools.lru_cache(maxsize=1)
def _load(name: str, num_threads: int) -> Any:
    return load_speech_model(name, num_threads)
