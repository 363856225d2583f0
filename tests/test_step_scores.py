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
