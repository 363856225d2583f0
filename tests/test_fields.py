from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.errors import InputError
from vidmodel_tf.text.fields import BLANK, check_fields, join_fields, resolve_budgets, share_positions, split_fields

FIELDS = ("title", "description", "tags", "subtitles")


def test_join_marks_each_field_that_is_not_blank():
    text = {"tags": "a, b", "title": "Red\x01 cat\x00", "description": " \n", "other": "x"}
    assert join_fields(text, FIELDS) == "\x01Red  cat \x03a, b"
    assert join_fields({}, FIELDS) == ""
    assert join_fields({"title": None}, FIELDS) == ""


@given(st.lists(st.text(), min_size=4, max_size=4))
def test_split_undoes_join(texts):
    joined = join_fields(dict(zip(FIELDS, texts, strict=True)), FIELDS)
    controls = dict.fromkeys(range(9), " ")
    expected = [text.translate(controls).strip(BLANK) for text in texts]
    assert [text.strip(BLANK) for text in split_fields(joined, 4)] == expected


@pytest.mark.parametrize(
    ("joined", "expected"),
    [
        ("bare", ["bare", ""]),
        ("\x02tags\x01title", ["title", "tags"]),  # in any order
        ("\x01one\x02tags\x01two", ["one two", "tags"]),  # the same field twice: both texts
        ("before\x01title", ["before title", ""]),
        ("\x01title\x07of another model", ["title", ""]),
        ("", ["", ""]),
    ],
)
def test_split_of_what_clients_may_send(joined, expected):
    assert [" ".join(text.split()) for text in split_fields(joined, 2)] == expected


@pytest.mark.parametrize("fields", [(), ("a",) * 2, ("Title",), ("ta gs",), ("é",), tuple(f"f{i}" for i in range(9))])
def test_bad_fields_are_refused(fields):
    with pytest.raises(InputError, match=r"expected 1 to 8 different names .* Received: \["):
        check_fields(fields)


def test_default_budgets_are_equal_parts():
    assert resolve_budgets(64, 4) == (16, 16, 16, 16)
    assert resolve_budgets(7, 4) == (2, 2, 2, 1)
    assert resolve_budgets(2, 4) == (1, 1, 0, 0)
    assert resolve_budgets(10, 2, [3, 4]) == (3, 4)


@pytest.mark.parametrize("budgets", [(1,), (-1, 2), (6, 5)])
def test_bad_budgets_are_refused(budgets):
    with pytest.raises(
        InputError, match=r"field_budgets: .* 2 text fields, whose sum is at most num_tokens=10\. Received"
    ):
        resolve_budgets(10, 2, budgets)
    with pytest.raises(InputError, match=r"num_tokens: expected at least 1\. Received: 0"):
        resolve_budgets(0, 2)


@pytest.mark.parametrize(
    ("lengths", "budgets", "num_tokens", "expected"),
    [
        ([3, 0, 0, 100], (4, 4, 4, 4), 16, [3, 0, 0, 13]),  # a long last field has what the others leave
        ([9, 0, 0, 100], (4, 4, 4, 4), 16, [9, 0, 0, 7]),  # but the first in order comes first
        ([9, 9, 9, 9], (4, 4, 4, 4), 16, [4, 4, 4, 4]),
        ([9, 9, 9, 9], (1, 1, 1, 1), 4, [4, 0, 0, 0]),  # no field with a marker alone
        ([9, 9], (2, 1), 3, [3, 0]),
        ([3, 9], (2, 2), 4, [2, 2]),
        ([2, 9], (2, 0), 3, [2, 0]),  # one position is left: for a marker alone
        ([2, 2], (0, 0), 1, [0, 0]),
        ([0, 0], (2, 2), 4, [0, 0]),
    ],
)
def test_shares(lengths, budgets, num_tokens, expected):
    assert share_positions(lengths, budgets, num_tokens) == expected


@given(st.lists(st.integers(2, 40) | st.just(0), min_size=1, max_size=8), st.integers(1, 64), st.data())
def test_shares_keep_every_budget_and_waste_at_most_one_position(lengths, num_tokens, data):
    budgets, left = [], num_tokens
    for _ in lengths:
        budgets.append(data.draw(st.integers(0, left)))
        left -= budgets[-1]
    shares = share_positions(lengths, budgets, num_tokens)
    assert sum(shares) <= num_tokens
    assert all(share <= length and share != 1 for share, length in zip(shares, lengths, strict=True))
    for share, length, budget in zip(shares, lengths, budgets, strict=True):
        assert share >= min(length, budget) or budget == 1
    assert sum(shares) >= min(num_tokens, sum(lengths)) - 1
