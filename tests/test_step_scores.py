"""Scores of steps against a mean worked out by hand."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.scoring.step_scores import StepScores
from vidmodel_tf.scoring.windows import Window


def test_a_step_has_the_mean_of_the_windows_that_cover_it():
    steps = StepScores({"label": 2})
    steps.add([Window(0, 0, 4)], {"label": np.array([[0.0, 1.0]])})
    steps.add([Window(2, 2, 6), Window(4, 6, 7)], {"label": np.array([[0.5, 0.5], [1.0, 0.0]])})
    expected = [[0, 1], [0, 1], [0.25, 0.75], [0.25, 0.75], [0.5, 0.5], [0.5, 0.5], [1, 0], [1, 0]]
    np.testing.assert_allclose(steps.mean(8)["label"], expected)


def test_steps_go_on_from_a_state():
    first, second = StepScores({"label": 1}), StepScores({"label": 1})
    first.add([Window(0, 0, 4)], {"label": np.array([[0.2]])})
    second.restore(first.state())
    second.add([Window(2, 2, 6)], {"label": np.array([[0.4]])})
    np.testing.assert_allclose(second.mean(6)["label"][:, 0], [0.2, 0.2, 0.3, 0.3, 0.4, 0.4])


def test_steps_that_are_taken_are_those_of_the_mean():
    windows = [Window(2 * number, 2 * number, 2 * number + 4) for number in range(6)]
    scores = np.random.default_rng(0).random((6, 3))
    whole, live = StepScores({"label": 3}), StepScores({"label": 3})
    whole.add(windows, {"label": scores})
    taken = []
    for number, window in enumerate(windows):
        live.add([window], {"label": scores[number : number + 1]})
        taken += live.take(window.first_step + 2)
    taken += live.take(100)
    assert [step for step, _ in taken] == list(range(14))
    np.testing.assert_array_equal([by_head["label"] for _, by_head in taken], whole.mean(14)["label"])
    assert live.take(100) == []


def test_steps_that_no_window_covers_are_not_taken():
    steps = StepScores({"label": 1})
    steps.add([Window(2, 3, 5)], {"label": np.array([[0.5]])})
    assert [step for step, _ in steps.take(4)] == [3]
    steps.add([Window(6, 6, 8)], {"label": np.array([[0.25]])})
    assert [(step, by_head["label"].tolist()) for step, by_head in steps.take(9)] == [
        (4, [0.5]),
        (6, [0.25]),
        (7, [0.25]),
    ]
