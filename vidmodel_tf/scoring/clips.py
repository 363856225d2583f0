"""Answers for video files: each gets an answer, or the reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_range import expand_clips
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.decision import Answer, answer_heads
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.scoring.batches import answer_in_batches
from vidmodel_tf.scoring.questions import read_questions

_CLIPS_AT_ONCE = 4  # a batch; more would not be faster on a CPU and take more memory


def predict(
    model: str | Path | Form, files: Sequence[str | Path], *, text: str | None = None
) -> Iterator[Answer | Refusal]:
    """Answers for each video what the model predicts.

    Args:
        model: A run folder, an exported model, or one already opened by `vidmodel_tf.forms.open_model.open_model`.
        files: Videos, folders (searched for videos), globs, and .csv or .jsonl files with the columns `path`,
            `start_seconds` and `end_seconds` for ranges of videos.
        text: Words for all of them, taken for the model's first text field; None: those beside and in each video.

    Yields:
        In order, an answer for each video, or a refusal of one that cannot be read. `to_json()` gives either as
        `vidmodel predict --json` prints it.

    Raises:
        InputError: There is no such model, or a pattern matches nothing.
    """
    form = open_model(model)
    clips = expand_clips([str(file) for file in files])
    questions = read_questions(form.run, clips, text)
    return answer_in_batches(questions, lambda batch: answer_questions(form, batch), _CLIPS_AT_ONCE)


def answer_questions(form: Form, questions: Sequence[Question]) -> list[Answer]:
    """Asks a model some questions at once."""
    run = form.run
    scores = form.scores(decode_questions(questions, run.config.model), [question.words for question in questions])
    return [
        Answer(
            question.id,
            answer_heads({head: values[row] for head, values in scores.items()}, run.labels, run.thresholds),
            question.seconds,
        )
        for row, question in enumerate(questions)
    ]
