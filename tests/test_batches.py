from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.clips.question import Question, Refusal
from vidmodel_tf.scoring.batches import answer_in_batches


def item(number: int, can_be_read: bool) -> Question | Refusal:
    return Question(str(number), (), f"words {number}") if can_be_read else Refusal(str(number), "no video")


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=20), st.integers(1, 5))
def test_answers_come_in_order_and_refusals_keep_their_place(readable, batch_size):
    items = [item(number, can_be_read) for number, can_be_read in enumerate(readable)]
    batches = []

    def ask(questions):
        batches.append([question.id for question in questions])
        return [question.words for question in questions]

    answers = list(answer_in_batches(items, ask, batch_size))
    assert answers == [one if isinstance(one, Refusal) else one.words for one in items]
    assert [id for batch in batches for id in batch] == [one.id for one in items if isinstance(one, Question)]
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(1 <= len(batch) <= batch_size for batch in batches)


def test_nothing_waits_longer_than_it_must():
    taken = []

    def items():
        for number, can_be_read in enumerate([False, True, False, True, True, False]):
            taken.append(number)
            yield item(number, can_be_read)

    answers = answer_in_batches(items(), lambda questions: questions, 2)
    taken_before = [(next(answers).id, taken[-1]) for _ in range(6)]
    # a refusal at once; a batch when it is full; what is left at the end
    assert taken_before == [("0", 0), ("1", 3), ("2", 3), ("3", 3), ("4", 5), ("5", 5)]
