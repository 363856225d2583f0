from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidmodel_tf.decision import Answer, AnyLabels, OneLabel, answer_heads, decide

FLOAT32 = st.floats(0, 1, width=32)


def test_a_threshold_is_compared_as_the_float32_that_scores_are():
    score = np.float32(0.7)
    assert float(score) < 0.7  # a comparison in float64 would say no
    assert decide([score], [0.7]).tolist() == [True]
    assert decide([float(score)], [0.7]).tolist() == [True]  # as JSON keeps it
    assert decide([score], [float(np.nextafter(score, np.float32(1)))]).tolist() == [False]


@settings(deadline=None)
@given(FLOAT32)
def test_a_score_reaches_its_own_threshold_and_none_above(score):
    above = np.nextafter(np.float32(score), np.float32(2))
    below = np.nextafter(np.float32(score), np.float32(-1))
    assert decide([score] * 3, [below, score, above]).tolist() == [True, True, False]


@settings(deadline=None)
@given(st.lists(st.lists(FLOAT32, min_size=3, max_size=3), min_size=1, max_size=4))
def test_one_class_is_the_first_of_the_highest(rows):
    expected = [max(range(3), key=lambda k, row=row: (row[k], -k)) for row in rows]
    assert decide(rows).tolist() == expected


def test_equal_in_float32_is_equal():
    assert int(decide([0.5, 0.5 + 1e-12])) == 0


def test_answers_are_what_programs_read():
    labels = {"mood": ["bad", "好"], "topic": ["a", "b", "c"]}
    scores = {"mood": np.array([0.25, 0.75], np.float32), "topic": [0.5, 0.49, 0.9]}
    answer = Answer("clips/a.mp4", answer_heads(scores, labels, {"topic": [0.5, 0.5, 0.95]}))
    assert answer.heads["mood"] == OneLabel("好", 0.75, {"bad": 0.25, "好": 0.75})
    assert answer.heads["topic"] == AnyLabels(("a",), {"a": 0.5, "b": 0.49, "c": 0.9})
    assert json.loads(json.dumps(answer.to_json())) == {
        "path": "clips/a.mp4",
        "heads": {
            "mood": {"label": "好", "score": 0.75, "scores": {"bad": 0.25, "好": 0.75}},
            "topic": {"labels": ["a"], "scores": {"a": 0.5, "b": 0.49, "c": 0.9}},
        },
    }


def test_scores_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="zip"):
        answer_heads({"mood": [0.5]}, {"mood": ["bad", "good"]}, {})
