"""The words that go with a window: what has no time goes with all of them, cues go where they overlap."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.questions import words_as_trained
from vidmodel_tf.scoring.window_pass import Words
from vidmodel_tf.text.fields import join_fields
from vidmodel_tf.words.cues import Cue, cut, text_by_field, untimed


def find_cues(run: Run, video: Path, text: str | None) -> tuple[Cue, ...]:
    """The words of a video, each with its time.

    Args:
        run: Its settings say which fields there are, and in which language.
        video: The file.
        text: Words for the whole video, taken for the first field; None: those beside and in it.

    Raises:
        InputError: The video or a file beside it cannot be read.
        UnusableSourceError: A source of words can be used for no file.
    """
    fields = run.config.model.text_fields
    if text is not None:
        return (untimed(fields[0], text, "--text"),)
    with words_as_trained(run) as words:
        return words.find(video, fields)


def words_of_range(run: Run, cues: tuple[Cue, ...]) -> Words:
    """The function that gives the joined words of a range of seconds."""
    fields = run.config.model.text_fields
    return lambda start_seconds, end_seconds: join_fields(text_by_field(cut(cues, start_seconds, end_seconds)), fields)
