from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.words.cues import Cue, cut, sources_by_field, text_by_field, untimed

CUES = [
    Cue(0.0, 1.0, "subtitles", "one", "a"),
    Cue(1.0, 2.0, "subtitles", "two", "a"),
    Cue(2.0, 3.0, "subtitles", "three", "a"),
    Cue(5.0, 5.0, "subtitles", "instant", "a"),
]


@pytest.mark.parametrize(
    ("start_seconds", "end_seconds", "expected"),
    [
        (None, None, "one two three instant"),
        (0.0, 1.0, "one"),
        (None, 1.5, "one two"),
        (1.0, 2.0, "two"),  # half open at both ends: "one" ends and "three" starts at the border
        (1.9, 2.1, "two three"),
        (2.5, None, "three instant"),
        (3.0, 5.0, ""),
        (3.0, 5.1, "instant"),
        (5.0, 9.0, "instant"),  # without duration, at the very start of the range
        (3.0, 4.9, ""),
        (100.0, None, ""),
    ],
)
def test_only_cues_that_overlap_the_range(
    start_seconds: float | None, end_seconds: float | None, expected: str
) -> None:
    assert text_by_field(cut(CUES, start_seconds, end_seconds))["subtitles"] == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9))), st.lists(st.integers(1, 60), unique=True))
def test_ranges_that_cover_everything_lose_no_cue(times: list[tuple[int, int]], borders: list[int]) -> None:
    cues = [Cue(start, start + length, "speech", str(i), "") for i, (start, length) in enumerate(times)]
    borders = [0, *sorted(borders), 100]
    parts = [cut(cues, start, end) for start, end in itertools.pairwise(borders)]
    assert {cue.text for part in parts for cue in part} == {cue.text for cue in cues}
    for cue in cues:
        if cue.start_seconds == cue.end_seconds:
            assert sum(cue in part for part in parts) == 1


def test_words_without_times_go_with_every_range() -> None:
    title = untimed("title", "A title", "manifest")
    assert cut([title], 1000.0, 1001.0) == [title]
    assert title.end_seconds == math.inf


def test_every_field_has_a_text_and_those_with_words_a_source() -> None:
    cues = [untimed("title", "A\ntitle", "manifest"), *CUES[:2], untimed("tags", " ", "b")]
    assert text_by_field(cues) == dict.fromkeys(TEXT_FIELDS, "") | {
        "title": "A\ntitle",
        "subtitles": "one two",
        "tags": " ",
    }
    assert sources_by_field(cues) == {"title": "manifest", "subtitles": "a"}
