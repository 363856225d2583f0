"""LSTMs and GRUs of other classes compute what the ones that they replace do, from weights of their own."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from vidmodel_tf.export.lite.recurrent import LoopGRU, LoopLSTM, UnrolledGRU, UnrolledLSTM
from vidmodel_tf.export.onnx.recurrent import PackingGRU, PackingLSTM
from vidmodel_tf.export.replace_recurrent import replace_recurrent
from vidmodel_tf.model.layers import SlotMask

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
KINDS = {
    "lstm": {"loop": LoopLSTM, "unrolled": UnrolledLSTM, "packing": PackingLSTM},
    "gru": {"loop": LoopGRU, "unrolled": UnrolledGRU, "packing": PackingGRU},
}
each_layer = pytest.mark.parametrize("layer", LAYERS)
each_kind = pytest.mark.parametrize("kind", KINDS["lstm"])


def make_of(kind):
    return lambda layer, skips_slots: kind(**layer.get_config())


def every_output_of(layer, sequences, **masks):
    """Last outputs and outputs of every step, of a layer by itself and of one in a Bidirectional."""
    outputs = []
    for every_step in (False, True):
        for bidirectional in (False, True):
            inner = LAYERS[layer](7, return_sequences=every_step, use_cudnn=False)
            outer = keras.layers.Bidirectional(inner) if bidirectional else inner
            outputs.append(outer(sequences, **masks))
    return outputs


def with_random_biases(model):
    """Biases as they begin are zeros or ones, and a GRU has two of them to be told apart."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if weight.name == "bias":
            weight.assign(rng.normal(size=weight.shape))
    return model


def masked_model(layer):
    """Sequences [B, 6, 5] and a mask [B, 6] through LSTMs or GRUs."""
    keras.utils.set_random_seed(0)
    sequences, mask = keras.Input((6, 5)), keras.Input((6,), dtype="bool")
    return with_random_biases(keras.Model([sequences, mask], every_output_of(layer, sequences, mask=mask)))


def masked_inputs():
    rng = np.random.default_rng(0)
    sequences, mask = rng.normal(size=(64, 6, 5)).astype(np.float32), rng.integers(0, 2, (64, 6)).astype(bool)
    mask[0], mask[1] = False, True
    return [sequences, mask]


def assert_same(model, replaced, inputs):
    for found, expected in zip(replaced(inputs), model(inputs), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@each_layer
@each_kind
def test_outputs_stay_whatever_is_masked(layer, kind):
    """Outputs of slots that are ruled out too, which nothing in a whole model reads."""
    model = masked_model(layer)
    assert_same(model, replace_recurrent(model, make_of(KINDS[layer][kind])), masked_inputs())


@each_layer
@each_kind
def test_outputs_stay_without_a_mask(layer, kind):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 5))
    model = with_random_biases(keras.Model(inputs, every_output_of(layer, inputs)))
    assert_same(model, replace_recurrent(model, make_of(KINDS[layer][kind])), masked_inputs()[0])


def test_a_copy_and_its_original_do_not_share_weights():
    model, inputs = masked_model("lstm"), masked_inputs()
    before = [output.numpy() for output in model(inputs)]
    replaced = replace_recurrent(model, make_of(LoopLSTM))
    for weight in replaced.weights:
        weight.assign(0 * weight)
    for found, expected in zip(model(inputs), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not any(output.numpy().any() for output in replaced(inputs))


@each_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_behind_a_slot_mask_are_told_that_they_skip_slots(layer, bidirectional):
    """By the graph, not by anyone's name: the second one of a stack has the mask too."""
    features = keras.Input((6, 5))
    wrap = keras.layers.Bidirectional if bidirectional else (lambda inner, name: inner)
    slots, x = SlotMask()(features), features
    for number in range(2):
        x = wrap(LAYERS[layer](3, return_sequences=True, name=f"masked_{number}"), name=f"m{number}")(x, mask=slots)
    plain = wrap(LAYERS[layer](3, return_sequences=True, name="plain"), name="p")(features)
    found = {}

    def make(inner, skips_slots):
        found[inner.name.removeprefix("forward_").removeprefix("backward_")] = skips_slots
        return type(inner)(**inner.get_config())

    replace_recurrent(keras.Model(features, [x, plain]), make)
    assert found == {"masked_0": True, "masked_1": True, "plain": False}


@each_layer
def test_an_unrolled_layer_may_leave_out_a_first_slot_that_is_never_there(layer):
    keras.utils.set_random_seed(0)
    features, unrolled = keras.Input((6, 5)), KINDS[layer]["unrolled"]
    model = with_random_biases(keras.Model(features, every_output_of(layer, features, mask=SlotMask()(features))))
    sequences = masked_inputs()[0]
    sequences[:, 0] = 0
    sequences[3:9, 2:4] = 0
    replaced = replace_recurrent(model, lambda inner, skips: unrolled(**inner.get_config(), first_slot_is_empty=skips))
    assert_same(model, replaced, sequences)
