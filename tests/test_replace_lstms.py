"""LSTMs of other classes compute what the ones that they replace do, from weights of their own."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from vidmodel_tf.export.lite.lstm import LoopLSTM, UnrolledLSTM
from vidmodel_tf.export.onnx.lstm import PackingLSTM
from vidmodel_tf.export.replace_lstms import replace_lstms
from vidmodel_tf.model.layers import SlotMask

KINDS = {
    "loop": lambda config, skips_slots: LoopLSTM(**config),
    "unrolled": lambda config, skips_slots: UnrolledLSTM(**config),
    "packing": lambda config, skips_slots: PackingLSTM(**config),
}


def masked_model(*, every_step=True, bidirectional=False):
    """Sequences [B, 6, 5] and a mask [B, 6] through one LSTM."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 5)), keras.Input((6,), dtype="bool")
    lstm = keras.layers.LSTM(7, return_sequences=every_step, use_cudnn=False, name="lstm")
    layer = keras.layers.Bidirectional(lstm, name="both_ways") if bidirectional else lstm
    return keras.Model(inputs, layer(inputs[0], mask=inputs[1]))


def masked_inputs():
    rng = np.random.default_rng(0)
    sequences, mask = rng.normal(size=(64, 6, 5)).astype(np.float32), rng.integers(0, 2, (64, 6)).astype(bool)
    mask[0], mask[1] = False, True
    return [sequences, mask]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_outputs_stay_whatever_is_masked(kind, every_step, bidirectional):
    """Outputs of slots that are ruled out too, which nothing in a whole model reads."""
    model, inputs = masked_model(every_step=every_step, bidirectional=bidirectional), masked_inputs()
    replaced = replace_lstms(model, KINDS[kind])
    np.testing.assert_allclose(replaced(inputs).numpy(), model(inputs).numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_stay_without_a_mask(kind):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 5))
    model = keras.Model(inputs, keras.layers.Bidirectional(keras.layers.LSTM(7, use_cudnn=False))(inputs))
    sequences = masked_inputs()[0]
    replaced = replace_lstms(model, KINDS[kind])
    np.testing.assert_allclose(replaced(sequences).numpy(), model(sequences).numpy(), atol=1e-6)


def test_a_copy_and_its_original_do_not_share_weights():
    model, inputs = masked_model(bidirectional=True), masked_inputs()
    before = model(inputs).numpy()
    replaced = replace_lstms(model, KINDS["loop"])
    for weight in replaced.weights:
        weight.assign(0 * weight)
    np.testing.assert_array_equal(model(inputs).numpy(), before)
    assert not replaced(inputs).numpy().any()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstms_behind_a_slot_mask_are_told_that_they_skip_slots(bidirectional):
    """By the graph, not by anyone's name: the second LSTM of a stack has the mask too."""
    features = keras.Input((6, 5))
    wrap = keras.layers.Bidirectional if bidirectional else (lambda layer, name: layer)
    slots, x = SlotMask()(features), features
    for number in range(2):
        x = wrap(keras.layers.LSTM(3, return_sequences=True, name=f"masked_{number}"), name=f"m{number}")(x, mask=slots)
    plain = wrap(keras.layers.LSTM(3, return_sequences=True, name="plain"), name="p")(features)
    found = {}

    def make(config, skips_slots):
        found[config["name"].removeprefix("forward_").removeprefix("backward_")] = skips_slots
        return keras.layers.LSTM(**config)

    replace_lstms(keras.Model(features, [x, plain]), make)
    assert found == {"masked_0": True, "masked_1": True, "plain": False}


@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_unrolled_lstm_may_leave_out_a_first_slot_that_is_never_there(bidirectional):
    keras.utils.set_random_seed(0)
    features = keras.Input((6, 5))
    lstm = keras.layers.LSTM(7, return_sequences=True, use_cudnn=False)
    layer = keras.layers.Bidirectional(lstm) if bidirectional else lstm
    model = keras.Model(features, layer(features, mask=SlotMask()(features)))
    sequences = masked_inputs()[0]
    sequences[:, 0] = 0
    sequences[3:9, 2:4] = 0
    replaced = replace_lstms(model, lambda config, skips: UnrolledLSTM(**config, first_slot_is_empty=skips))
    np.testing.assert_allclose(replaced(sequences).numpy(), model(sequences).numpy(), atol=1e-6)
