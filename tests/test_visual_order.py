"""Right-to-left text in the order of drawing: cases by hand, and another implementation where it is installed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidmodel_tf.pages.visual_order import visual_order


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("fight: 打架 0.93", "fight: 打架 0.93"),
        ("אבג", "גבא"),
        ("אבג 0.93", "0.93 גבא"),
        ("אבג fight דהו", "והד fight גבא"),
        ("fight אבג דהו 12", "fight 12 והד גבא"),
        ("אבג (12%)", "(12%) גבא"),
        ("a (אבג) b", "a (גבא) b"),
        ("א-1.5", "1.5-א"),
        ("قتال 12 في", "يف 12 لاتق"),
    ],
)
def test_cases_by_hand(text, drawn):
    assert visual_order(text) == drawn


@given(st.text(st.sampled_from("ab אבגدق 12.,%-+/:!(["), max_size=12))
def test_the_order_is_that_of_another_implementation(text):
    bidi = pytest.importorskip("bidi.algorithm", reason="needs python-bidi")
    assert visual_order(text) == bidi.get_display(text)
