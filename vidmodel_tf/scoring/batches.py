"""Questions asked in batches and answered in order; clips that could not be read keep their place. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from vidmodel_tf.clips.question import Question, Refusal

Given = TypeVar("Given")


def answer_in_batches(
    questions: Iterable[Question | Refusal],
    ask: Callable[[Sequence[Question]], Sequence[Given]],
    batch_size: int,
) -> Iterator[Given | Refusal]:
    """Answers questions one batch after the other.

    Args:
        questions: Taken up as answers are consumed.
        ask: Answers 1 to `batch_size` questions, in their order.
        batch_size: Questions a batch, at most.

    Yields:
        In the order of `questions`, an answer for each question, and each refusal as it is. A refusal that no question
        is waiting before comes at once.

    Example:
        >>> questions = [Question("a", (), "film"), Refusal("b", "no video"), Question("c", (), "")]
        >>> list(answer_in_batches(questions, lambda batch: [question.words for question in batch], 2))
        ['film', Refusal(id='b', reason='no video', seconds=None, question=''), '']
    """
    waiting: list[Question | Refusal] = []
    for question in questions:
        waiting.append(question)
        num_questions = sum(isinstance(item, Question) for item in waiting)
        if num_questions in (0, batch_size):
            yield from _answer_all(waiting, ask)
            waiting = []
    yield from _answer_all(waiting, ask)


def _answer_all(
    waiting: Sequence[Question | Refusal], ask: Callable[[Sequence[Question]], Sequence[Given]]
) -> Iterator[Given | Refusal]:
    questions = [item for item in waiting if isinstance(item, Question)]
    answers = iter(ask(questions) if questions else ())
    for item in waiting:
        yield item if isinstance(item, Refusal) else next(answers)
