"""Answers for video files: each gets an answer, or the reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vidmodel_tf.clips.clip_range import expand_clips
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.decision import Answer, answer_heads
from vidmodel_tf.forms.encoded_once import EncodedOnce
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.run_folder.run import Run
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
            `start_seconds` and `end_seconds` for ranges of videos, and `question` for what is asked about them.
        text: Words for all of them, taken for the model's first text field; None: those beside and in each video.

    Yields:
        In order, questions about one clip together, an answer for each video, or a refusal of one that cannot be read.
        `to_json()` gives either as `vidmodel predict --json` prints it.

    Raises:
        InputError: There is no such model, a pattern matches nothing, or questions are asked of a model that reads
            none.
    """
    form = open_model(model)
    clips = expand_clips([str(file) for file in files])
    questions = read_questions(form.run, clips, text)
    encoded = EncodedOnce(form)

    def answer(batch: Sequence[Question]) -> list[Answer]:
        scores = form.classify(encoded.encode(batch), [question.words for question in batch])
        return [_answer(question, scores, row, form.run) for row, question in enumerate(batch)]

    return answer_in_batches(questions, answer, _CLIPS_AT_ONCE)


def _answer(question: Question, scores: Scores, row: int, run: Run) -> Answer:
    heads = answer_heads({head: values[row] for head, values in scores.items()}, run.labels, run.thresholds)
    return Answer(question.id, heads, question.seconds, question.question)
