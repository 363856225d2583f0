"""The losses of distillation against the formulas, written in NumPy and in logits."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidmodel_tf.training.distilled_losses import SoftenedBinaryDivergence, SoftenedDivergence

TEMPERATURES = (1.0, 4.0, 20.0)
logits = hnp.arrays(np.float64, (2, 3, 4), elements=st.floats(-6, 6))  # teacher and student, [B, K] each


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@settings(max_examples=50, deadline=None)
@given(logits, st.sampled_from(TEMPERATURES))
def test_softmax_scores(z, temperature):
    p, q = softmax(z / temperature)
    expected = temperature**2 * (p * np.log(p / q)).sum(axis=-1).mean()
    found = SoftenedDivergence(temperature)(*softmax(z).astype(np.float32))
    assert float(found) == pytest.approx(expected, rel=1e-3, abs=temperature**2 * 1e-5)  # float32, and T^2 of it


@settings(max_examples=50, deadline=None)
@given(logits, st.sampled_from(TEMPERATURES))
def test_sigmoid_scores(z, temperature):
    p, q = sigmoid(z / temperature)
    expected = temperature**2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean()
    found = SoftenedBinaryDivergence(temperature)(*sigmoid(z).astype(np.float32))
    assert float(found) == pytest.approx(expected, rel=1e-3, abs=temperature**2 * 1e-4)


def test_at_a_high_temperature_logits_are_matched():
    """Equation 4 of the paper: the gradient tends to (z - v) / K for logits of mean zero, whatever the temperature."""
    v, z = np.random.default_rng(0).normal(size=(2, 1, 5))
    v, z = v - v.mean(), z - z.mean()
    student = tf.constant(z, tf.float32)
    for temperature in (50.0, 100.0):
        with tf.GradientTape() as tape:
            tape.watch(student)
            loss = SoftenedDivergence(temperature)(softmax(v).astype(np.float32), tf.nn.softmax(student))
        np.testing.assert_allclose(tape.gradient(loss, student), (z - v) / 5, atol=0.03)  # the rest falls with 1 / T


def test_clips_without_weight_do_not_count():
    teacher, student = softmax(np.random.default_rng(0).normal(size=(2, 3, 4))).astype(np.float32)
    loss = SoftenedDivergence(2.0)
    every = [float(loss(teacher[i : i + 1], student[i : i + 1])) for i in range(3)]
    assert float(loss(teacher, student, np.array([1.0, 0.0, 1.0]))) == pytest.approx((every[0] + every[2]) / 3)


@pytest.mark.parametrize("divergence", [SoftenedDivergence, SoftenedBinaryDivergence])
def test_certain_scores_give_finite_gradients(divergence):
    student = tf.constant([[1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = divergence(4.0)(tf.constant([[0.0, 1.0]]), student)
    assert np.isfinite(float(loss)) and float(loss) > 1
    assert np.isfinite(tape.gradient(loss, student)).all()


@pytest.mark.parametrize("divergence", [SoftenedDivergence, SoftenedBinaryDivergence])
def test_they_are_rebuilt_from_their_settings(divergence):
    assert divergence.from_config(divergence(3.0).get_config()).temperature == 3.0
