"""Answers of a model that is open for clips that are named, in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidmodel_tf.clips.clip_range import ClipRange
from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.decision import Answer, answer_heads
from vidmodel_tf.forms.encoded_once import EncodedOnce
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.scoring.batches import answer_in_batches
from vidmodel_tf.scoring.questions import read_checked_questions

CLIPS_AT_ONCE = 4  # a batch; more would not be faster on a CPU and take more memory


def answer_clips(
    form: Form, clips: Sequence[ClipRange], text: str | None, num_workers: int = 0
) -> Iterator[Answer | Refusal]:
    """Answers for each clip what the model predicts.

    Args:
        form: The model.
        clips: Questions about one clip follow one another; `check_questions` has let them pass.
        text: Words for all of them; None: those beside and in each video.
        num_workers: Processes that decode; 0: one a core.

    Yields:
        In the order of `clips`, an answer, or a refusal of a clip that cannot be read.
    """
    questions = read_checked_questions(form.run, clips, text, num_workers)
    encoded = EncodedOnce(form)

    def answer(batch: Sequence[Question]) -> list[Answer]:
        scores = form.classify(encoded.encode(batch), [question.words for question in batch])
        return [_answer(question, scores, row, form.run) for row, question in enumerate(batch)]

    return answer_in_batches(questions, answer, CLIPS_AT_ONCE)


def _answer(question: Question, scores: Scores, row: int, run: Run) -> Answer:
    heads = answer_heads({head: values[row] for head, values in scores.items()}, run.labels, run.thresholds)
    return Answer(question.id, heads, question.seconds, question.question)
