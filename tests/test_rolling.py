from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.words.rolling import Shown, each_line_once

LINES = st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=12)


def texts(*shown: tuple[float, float, str]) -> list[str]:
    parts = each_line_once(Shown(start, end, tuple(lines.split())) for start, end, lines in shown)
    return [" ".join(part.lines) for part in parts]


@pytest.mark.parametrize("num_lines", [1, 2, 3])
@settings(deadline=None)
@given(lines=LINES)
def test_a_window_that_rolls_over_distinct_lines_gives_each_once(num_lines: int, lines: list[str]) -> None:
    lines = [f"{index}{line}" for index, line in enumerate(lines)]
    shown = [Shown(i, i + 1, tuple(lines[max(0, i - num_lines + 1) : i + 1])) for i in range(len(lines))]
    parts = list(each_line_once(shown))
    assert [part.lines for part in parts] == [(line,) for line in lines]
    assert [part.start_seconds for part in parts] == list(range(len(lines)))


@settings(deadline=None)
@given(LINES)
def test_cues_with_pauses_between_them_stay_as_they_are(lines: list[str]) -> None:
    shown = [Shown(2 * i, 2 * i + 1, (line,)) for i, line in enumerate(lines)]
    assert list(each_line_once(shown)) == shown


def test_a_moment_in_which_only_the_old_line_stays_adds_nothing() -> None:
    assert texts((0, 2, "one"), (2, 2.01, "one"), (2.01, 4, "one two"), (4, 4.01, "two"), (4.01, 6, "two three")) == [
        "one",
        "two",
        "three",
    ]


def test_two_lines_at_once_then_one_more() -> None:
    assert texts((0, 2, "a b"), (2, 3, "b c"), (3, 4, "c d")) == ["a b", "c", "d"]


def test_a_line_that_comes_again_later_is_said_again() -> None:
    assert texts((0, 1, "no"), (3, 4, "no"), (4, 5, "yes"), (5, 6, "no")) == ["no", "no", "yes", "no"]


def test_a_line_that_is_not_at_the_top_did_not_move_up() -> None:
    assert texts((0, 1, "a"), (1, 2, "b a")) == ["a", "b a"]


def test_overlapping_and_nearly_touching_cues_roll_too() -> None:
    assert texts((0, 5, "a"), (3, 8, "a b")) == ["a", "b"]
    assert texts((0, 1, "a"), (1.04, 2, "a b")) == ["a", "b"]


def test_cues_out_of_order_are_not_compared() -> None:
    assert texts((5, 6, "a"), (0, 1, "a b")) == ["a", "a b"]
