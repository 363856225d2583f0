"""LSTMs and GRUs in larger ops: the outputs and gradients of Keras's own, whatever the masks rule out."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from vidmodel_tf.backend.fused import fused_inference, fused_training

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
MASKS = {
    "none": None,
    "right": np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], bool),
    "first": np.array([[0, 1, 1, 1, 1, 1]] * 3, bool),  # of motion
    "any": np.array([[1, 0, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], bool),
}
each_layer = pytest.mark.parametrize("layer", LAYERS)
each_mask = pytest.mark.parametrize(
    "mask", [mask if mask == "any" else pytest.param(mask, marks=pytest.mark.slow) for mask in MASKS]
)


def build(layer, mask, dtype=None, **settings):
    """Sequences [B, 6, 5] read forward, backward and both ways, for their last outputs and for all."""
    keras.utils.set_random_seed(0)
    sequences, outputs = keras.Input((6, 5)), []
    masks = None if MASKS[mask] is None else keras.Input((6,), dtype="bool")
    for all_steps, backwards in itertools.product((False, True), (False, True)):
        settings |= {"return_sequences": all_steps, "dtype": dtype}
        outputs.append(LAYERS[layer](4, go_backwards=backwards, **settings)(sequences, mask=masks))
        outputs.append(keras.layers.Bidirectional(LAYERS[layer](4, **settings), dtype=dtype)(sequences, mask=masks))
    rng, model = np.random.default_rng(1), keras.Model([sequences] if masks is None else [sequences, masks], outputs)
    for weight in model.weights:  # biases begin as zeros and ones
        weight.assign(rng.normal(size=weight.shape))
    return model


def inputs_for(mask):
    sequences = np.random.default_rng(0).normal(size=(3, 6, 5)).astype(np.float32)
    return [sequences] if MASKS[mask] is None else [sequences, MASKS[mask]]


def outputs_and_gradients(model, inputs):
    """In training; the gradients are those of the sequences and of each weight."""
    rng = np.random.default_rng(2)
    factors = [tf.constant(rng.normal(size=(3, *output.shape[1:])), tf.float32) for output in model.outputs]

    inputs = [tf.convert_to_tensor(each) for each in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        outputs = [tf.cast(output, tf.float32) for output in model(inputs, training=True)]
        loss = tf.add_n([tf.reduce_sum(factor * output) for factor, output in zip(factors, outputs, strict=True)])
    gradients = tape.gradient(loss, [inputs[0], *(weight.value for weight in model.trainable_variables)])
    return [*outputs, *gradients]


def assert_replaced(model):
    recurrent = [layer for layer in model._flatten_layers() if isinstance(layer, tuple(LAYERS.values()))]
    assert len(recurrent) == 12 and all("inner_loop" in vars(layer) for layer in recurrent)


def in_training(model):
    model.compile(keras.optimizers.AdamW(), "mse")
    return fused_training(model)


@each_mask
def test_outputs_and_gradients_stay(mask):
    expected, model = outputs_and_gradients(build("lstm", mask), inputs_for(mask)), build("lstm", mask)
    with in_training(model):
        assert_replaced(model)
        found = outputs_and_gradients(model, inputs_for(mask))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)  # sums of up to 18 terms near 1 in float32


@each_layer
@each_mask
def test_answers_stay(layer, mask):
    model, inputs = build(layer, mask), inputs_for(mask)
    expected = model(inputs)
    with fused_inference(model):
        assert_replaced(model)
        found = model(inputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
def test_bfloat16_is_as_near_to_float32_as_that_of_keras():
    inputs, model = inputs_for("any"), build("lstm", "any", "mixed_bfloat16")
    exact, of_keras = (outputs_and_gradients(each, inputs) for each in (build("lstm", "any"), model))
    with in_training(model):
        assert_replaced(model)
        fused = outputs_and_gradients(model, inputs)
    for found, expected, reference in zip(fused, of_keras, exact, strict=True):
        scale = np.abs(reference).max()
        assert np.abs(found - reference).max() < 2 * np.abs(expected - reference).max() + 0.02 * scale


def test_a_gradient_reaches_the_first_state():
    layer = keras.layers.LSTM(4)
    sequences, states = tf.ones((2, 3, 5)), [tf.constant([[0.1, -0.2, 0.3, 0.4]] * 2), tf.ones((2, 4))]
    model = keras.Sequential([keras.Input((3, 5)), layer])

    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(states)
            loss = tf.reduce_sum(layer(sequences, initial_state=states, training=True))
        return tape.gradient(loss, states)

    expected = gradients()
    with in_training(model):
        found = gradients()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.slow
def test_graphs_compute_the_same_gradients():
    """As `fit` does: graphs have other forms of the loops."""
    inputs = inputs_for("any")
    expected, model = outputs_and_gradients(build("lstm", "any"), inputs), build("lstm", "any")
    with in_training(model):
        found = tf.function(lambda: outputs_and_gradients(model, inputs))()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_block_inside_another_one_leaves_it_as_it_was():
    model = build("lstm", "none")
    with in_training(model):
        with fused_inference(model):
            assert_replaced(model)
        assert_replaced(model)
    assert not any("inner_loop" in vars(layer) for layer in model._flatten_layers())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "settings"),
    [
        *(("lstm", {name: value}) for name, value in {"dropout": 0.5, "activation": "relu", "unroll": True}.items()),
        ("lstm", {"recurrent_activation": "hard_sigmoid"}),
        ("lstm", {"use_bias": False}),
        ("gru", {"reset_after": False}),
    ],
)
def test_layers_of_other_kinds_are_left_alone(layer, settings):
    model, inputs = build(layer, "any", **settings), inputs_for("any")
    expected = model(inputs)
    with fused_inference(model):
        assert not any("inner_loop" in vars(layer) for layer in model._flatten_layers())
        found = model(inputs)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
