"""Each layer against a closed formula or Keras's own, and all of them against what Keras asks of a layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from vidmodel_tf.model.layers import (
    AttentionPooling,
    EnsembleAverage,
    FoldedTimeDistributed,
    KeepSlots,
    MeanPooling,
    MotionImages,
    ScaleFrames,
    SlotMask,
    Standardization,
    TokenMask,
)
from vidmodel_tf.model.precision import dtype_policy

# float32 sums of at most a few hundred products of order 1, added up in another order
ATOL = 1e-5


def small_encoder(batch_norm: bool = False) -> keras.Model:
    x = inputs = keras.Input((8, 6, 3))
    x = keras.layers.Conv2D(5, 3, activation="relu")(x)
    if batch_norm:
        x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def random_clips(num_clips: int = 2, num_frames: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(num_clips, num_frames, 8, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("num_frames", [4, None])
def test_folded_time_gives_the_numbers_of_the_stock_layer(num_frames):
    encoder = small_encoder()
    inputs = keras.Input((num_frames, 8, 6, 3))
    folded = keras.Model(inputs, FoldedTimeDistributed(encoder)(inputs))
    stock = keras.Model(inputs, keras.layers.TimeDistributed(encoder)(inputs))
    assert folded.output_shape == stock.output_shape == (None, num_frames, 5)
    clips = random_clips()
    np.testing.assert_allclose(folded.predict(clips, verbose=0), stock.predict(clips, verbose=0), atol=ATOL)


def test_folded_time_hands_masks_through_as_the_stock_layer_does():
    lstm = keras.layers.LSTM(3)
    inputs = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    mask = np.arange(5) < np.array([[1, 2, 3, 4], [5, 4, 3, 2]])[..., None]
    folded = FoldedTimeDistributed(lstm)(inputs, mask=mask)
    stock = keras.layers.TimeDistributed(lstm)(inputs, mask=mask)
    np.testing.assert_allclose(folded, stock, atol=ATOL)
    assert np.abs(np.asarray(folded) - np.asarray(FoldedTimeDistributed(lstm)(inputs))).max() > 0.01


def test_folded_time_refuses_another_t_and_never_answers_for_another_number_of_clips():
    static, dynamic = keras.Input((4, 8, 6, 3)), keras.Input((None, 8, 6, 3))
    layer = FoldedTimeDistributed(small_encoder())
    clips = random_clips(num_frames=6)
    with pytest.raises(ValueError, match="expected shape=\\(None, 4, 8, 6, 3\\), found shape=\\(2, 6, 8, 6, 3\\)"):
        keras.Model(static, layer(static)).predict(clips, verbose=0)
    assert keras.Model(dynamic, layer(dynamic)).predict(clips, verbose=0).shape == (2, 6, 5)


def test_the_graph_does_not_grow_with_t():
    def num_nodes(layer_type, num_frames):
        layer = layer_type(small_encoder())
        spec = tf.TensorSpec((None, num_frames, 8, 6, 3))
        return len(tf.function(layer).get_concrete_function(spec).graph.as_graph_def().node)

    assert num_nodes(FoldedTimeDistributed, 2) == num_nodes(FoldedTimeDistributed, 16)
    assert num_nodes(keras.layers.TimeDistributed, 2) < num_nodes(keras.layers.TimeDistributed, 16)


@pytest.mark.parametrize("inference_only", [True, False])
def test_inference_only_keeps_batch_norm_as_it_is_while_the_model_around_it_trains(inference_only):
    inputs = keras.Input((4, 8, 6, 3))
    encoder = small_encoder(batch_norm=True)
    inner = keras.Model(inputs, FoldedTimeDistributed(encoder, inference_only=inference_only)(inputs))
    model = keras.Model(inputs, inner(inputs))
    mean_before = encoder.layers[2].get_weights()[2]
    same = np.allclose(model(random_clips(), training=True), model(random_clips(), training=False), atol=ATOL)
    assert same == inference_only
    assert np.array_equal(mean_before, encoder.layers[2].moving_mean) == inference_only


def test_motion_images_are_amplified_and_clipped_differences():
    frames = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 6, 3), dtype=np.uint8)
    expected = np.clip(2.5 * np.abs(frames[:, 1:].astype(float) - frames[:, :-1].astype(float)), 0, 255)
    # differences of whole numbers times 2.5 are exact in float32
    np.testing.assert_array_equal(MotionImages(2.5)(frames[:, 1:], frames[:, :-1]), expected)


def test_slots_without_motion_are_told_from_slots_with_a_single_changed_value():
    frames = np.zeros((1, 4, 4, 6, 3), np.uint8)
    frames[0, 2:, 3, 5, 1] = 1  # changes by the least there is, once, in the last slot but one
    slots = SlotMask()(MotionImages(0.01)(frames[:, 1:], frames[:, :-1]))
    np.testing.assert_array_equal(slots, [[False, True, False]])


def test_slots_that_are_ruled_out_become_exact_zeros():
    values = np.array([[[1.0, -2.0], [np.inf, -3.0], [np.nan, 0.0]]], np.float32)
    kept = KeepSlots()(values, np.array([[True, False, False]]))
    np.testing.assert_array_equal(kept, [[[1.0, -2.0], [0.0, 0.0], [0.0, 0.0]]])


def test_token_masks_end_at_the_last_token_and_always_keep_the_first_position():
    token_ids = np.array([[5, 6, 0, 0], [0, 0, 0, 0], [5, 0, 6, 0], [0, 0, 0, 9], [1, 2, 3, 4]], np.int32)
    expected = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    np.testing.assert_array_equal(TokenMask()(token_ids), np.array(expected, bool))


def test_scaled_frames_follow_their_formula_channel_by_channel():
    pixels = np.array([[10, 20, 30], [0, 128, 255]], np.uint8)
    scaled = ScaleFrames((10.0, 0.0, -1.0), (1.0, 2.0, 0.5), reverse_channels=True)(pixels)
    np.testing.assert_array_equal(scaled, [[20.0, 10.0, 22.0], [245.0, 64.0, 2.0]])


def test_standardization_uses_new_statistics_in_functions_that_were_traced_before():
    inputs = keras.Input((None, 2))
    layer = Standardization()
    model = keras.Model(inputs, layer(inputs))
    values = np.array([[[1.0, 2.0], [3.0, 8.0]]], np.float32)
    np.testing.assert_array_equal(model.predict(values, verbose=0), values)
    layer.mean.assign([1.0, 4.0])
    layer.variance.assign([4.0, 0.25])
    np.testing.assert_allclose(model.predict(values, verbose=0), [[[0.0, -4.0], [1.0, 8.0]]], atol=ATOL)


FRAMES = np.random.default_rng(1).integers(0, 256, (2, 4, 8, 6, 3), dtype=np.uint8)
CONTRACT = {
    "folded": (lambda: FoldedTimeDistributed(small_encoder(), inference_only=True), (random_clips(),)),
    "scale": (lambda: ScaleFrames((1.0, 2.0, 3.0), (0.1, 0.2, 0.3), True), (FRAMES,)),
    "motion": (lambda: MotionImages(3.0), (FRAMES, FRAMES[:, ::-1])),
    "slots": (SlotMask, (FRAMES,)),
    "keep": (KeepSlots, (random_clips()[..., 0, 0], np.array([[True, False, True, True]] * 2))),
    "tokens": (TokenMask, (np.array([[1, 2, 0], [0, 0, 0]], np.int32),)),
    "standardization": (Standardization, (random_clips()[..., 0, 0],)),
}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CONTRACT)
def test_layers_say_their_shape_and_dtype_beforehand_and_survive_serialisation(name, policy):
    make, arrays = CONTRACT[name]
    with dtype_policy(policy):
        layer = make()
        inputs = [keras.Input(array.shape[1:], dtype=str(array.dtype)) for array in arrays]
        model = keras.Model(inputs, layer(*inputs))
    outputs = model(list(arrays))
    assert model.output_shape[1:] == outputs.shape[1:]
    assert model.output.dtype == keras.backend.standardize_dtype(outputs.dtype)
    if name not in ("folded", "slots", "tokens"):
        assert model.output.dtype == "float32", "preprocessing and masking stay in float32"
    rebuilt = keras.Model.from_config(model.get_config())
    rebuilt.set_weights(model.get_weights())
    assert rebuilt.layers[-1].get_config() == layer.get_config()
    np.testing.assert_array_equal(np.asarray(rebuilt(list(arrays)), np.float32), np.asarray(outputs, np.float32))


def test_what_has_weights_or_gradients_takes_part_in_fit():
    inputs = keras.Input((4, 8, 6, 3), dtype="uint8")
    motion = MotionImages(3.0)(inputs, inputs[:, ::-1])
    x = FoldedTimeDistributed(small_encoder(batch_norm=True))(ScaleFrames((0.0,) * 3, (100.0,) * 3)(motion))
    x = KeepSlots()(Standardization()(x), SlotMask()(motion))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(x))
    before = [weight.numpy().copy() for weight in model.trainable_weights]
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(FRAMES, np.ones((2, 5), np.float32), verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, model.trainable_weights, strict=True)]
    assert len(changed) == 4
    assert all(changed)


def test_the_policy_outside_is_put_back_even_after_an_error():
    before = keras.config.dtype_policy().name
    with pytest.raises(ZeroDivisionError), dtype_policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("admitted", [[0, 1, 1, 0, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
def test_mean_pooling_is_the_mean_of_what_the_mask_admits(admitted):
    inputs, mask = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32), np.array([admitted] * 2, bool)
    expected = inputs[:, mask[0]].mean(axis=1) if mask.any() else np.zeros((2, 3))
    np.testing.assert_allclose(MeanPooling()(inputs, mask=mask), expected, atol=1e-6)
    np.testing.assert_allclose(MeanPooling()(inputs), inputs.mean(axis=1), atol=1e-6)


def test_attention_pooling_is_its_formula():
    rng = np.random.default_rng(0)
    inputs, mask = rng.normal(size=(2, 5, 3)).astype(np.float32), np.array([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], bool)
    layer = AttentionPooling(units=4)
    layer.build(inputs.shape)
    kernel, bias, query = (rng.normal(size=weight.shape) for weight in layer.weights)
    layer.set_weights([kernel, bias, query])
    scores = np.where(mask, (np.tanh(inputs @ kernel + bias) @ query)[..., 0], -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    # float32 against float64
    np.testing.assert_allclose(layer(inputs, mask=mask), (weights[..., np.newaxis] * inputs).sum(axis=1), atol=1e-5)
    assert np.isfinite(layer(inputs, mask=np.zeros_like(mask))).all()


def test_an_ensemble_trains_one_member_a_clip_and_predicts_their_mean():
    scores = [np.full((64, 2), value, np.float32) for value in (0.0, 3.0, 9.0)]
    np.testing.assert_allclose(EnsembleAverage()(scores), np.full((64, 2), 4.0), rtol=1e-6)
    keras.utils.set_random_seed(0)
    drawn = keras.ops.convert_to_numpy(EnsembleAverage()(scores, training=True))
    assert set(drawn[:, 0]) == {0.0, 3.0, 9.0}
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
