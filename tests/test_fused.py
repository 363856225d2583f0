"""Training with ops that do more at once: the numbers of Keras's own, and nothing of it is left behind."""

from __future__ import annotations

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import MODEL, TRAIN
from vidmodel_tf.backend.fused import _OF_ADAM_W, fused_training
from vidmodel_tf.model.layers import FoldedTimeDistributed
from vidmodel_tf.training.train import train as train_run

NUM_STEPS = 3


def build(*, axis=-1, epsilon=1e-3, scale=True, dtype=None):
    """Frames [B, T, 8, 8, 3] and words [B, 4]; BatchNorms behind a convolution, in a nested model and of vectors."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3, use_bias=False, dtype=dtype)(inputs)  # the gradient of a bias is noise
    x = keras.layers.BatchNormalization(axis, 0.9, epsilon, scale=scale, dtype=dtype, name="norm")(x)
    nested = keras.Sequential([keras.Input((6, 6, 8)), keras.layers.BatchNormalization(dtype=dtype, name="nested")])
    x = keras.layers.GlobalAveragePooling2D()(nested(keras.layers.ReLU()(x)))
    cnn = keras.Model(inputs, x)
    frames, words = keras.Input((2, 8, 8, 3)), keras.Input((4,), dtype="int32")
    seen = keras.layers.LSTM(5)(FoldedTimeDistributed(cnn)(frames))
    said = keras.layers.LSTM(5)(keras.layers.Embedding(7, 6)(words))
    return keras.Model(
        [frames, words], keras.layers.Dense(2, dtype="float32")(keras.layers.Concatenate()([seen, said]))
    )


def compile_model(model, **arguments):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0), loss, **arguments)
    model.optimizer.build(model.trainable_variables)
    return model


def batches(drop_remainder=False):
    """Where the remainder is dropped, as in training, the size of a batch is known when the graph is built."""
    rng = np.random.default_rng(0)
    frames = rng.normal(3, 5, (4 * NUM_STEPS, 2, 8, 8, 3)).astype(np.float32)
    words = rng.integers(0, 7, (4 * NUM_STEPS, 4)).astype(np.int32)
    labels = rng.integers(0, 2, 4 * NUM_STEPS).astype(np.int32)
    return tf.data.Dataset.from_tensor_slices(((frames, words), labels)).batch(4, drop_remainder)


def ops_of_a_step(model):
    """How often each op stands in the graph of a training step."""
    step = tf.function(lambda inputs, labels: model.train_step((inputs, labels)))
    graph = step.get_concrete_function(*next(iter(batches()))).graph
    return [node.op for node in graph.as_graph_def().node]


def train(model, drop_remainder=False):
    loss = model.fit(batches(drop_remainder), verbose=0, shuffle=False).history["loss"]
    return loss, model.get_weights(), [variable.numpy() for variable in model.optimizer.variables]


@pytest.mark.parametrize("drop_remainder", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_same_numbers_come_out(drop_remainder):
    expected_loss, *expected = train(compile_model(build()))
    model = compile_model(build())
    with fused_training(model):
        loss, *found = train(model, drop_remainder)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for one, other in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
        # float32, in steps of Adam, where the sign of a gradient near 0 counts for as much as a large one
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
def test_one_op_takes_the_place_of_many(dtype):
    model = compile_model(build(dtype=dtype))
    with fused_training(model):
        ops = ops_of_a_step(model)
    assert ops.count("FusedBatchNormV3") == ops.count("FusedBatchNormGradV3") == 2  # not that of vectors
    num_dense = len(model.trainable_variables) - 1  # the gradient of the embedding is sparse
    assert ops.count("ResourceApplyAdam") == num_dense
    assert len(ops) < 0.55 * len(ops_of_a_step(compile_model(build(dtype=dtype))))


@pytest.mark.parametrize(
    "settings",
    [{"axis": 1}, *(pytest.param(each, marks=pytest.mark.slow) for each in ({"epsilon": 1e-7}, {"scale": False}))],
)
def test_batch_norms_that_the_op_cannot_compute_are_left_alone(settings):
    expected, model = train(compile_model(build(**settings))), compile_model(build(**settings))
    with fused_training(model):
        assert ops_of_a_step(model).count("FusedBatchNormV3") == 1  # the nested one
        found = train(model)
    assert found[0] == pytest.approx(expected[0], rel=1e-5)


def test_frozen_batch_norms_keep_their_statistics():
    model = build()
    norm = next(layer for layer in model._flatten_layers() if layer.name == "norm")
    norm.trainable = False
    before = norm.get_weights()
    compile_model(model)
    with fused_training(model):
        train(model)
    for one, other in zip(norm.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bfloat16_is_as_near_to_float32_as_that_of_keras():
    inputs = next(iter(batches()))[0]
    exact = build()(inputs, training=True).numpy()
    model = build(dtype="mixed_bfloat16")
    of_keras = model(inputs, training=True).numpy()
    with fused_training(compile_model(model)):
        fused = model(inputs, training=True).numpy()
    assert np.abs(fused - exact).max() < 2 * np.abs(of_keras - exact).max() + 0.01


@pytest.mark.slow
def test_training_in_bfloat16_is_that_of_keras():
    expected_loss, expected, _ = train(compile_model(build(dtype="mixed_bfloat16")))
    model = compile_model(build(dtype="mixed_bfloat16"))
    with fused_training(model):
        loss, found, _ = train(model)
    assert loss == pytest.approx(expected_loss, rel=0.02)  # two digits of bfloat16
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one - other).max() < 0.1 * np.abs(other).max() + 2 * NUM_STEPS * 0.01  # steps of Adam


@pytest.mark.parametrize("norm", [0.0, 0.5, 20.0])
def test_gradients_are_clipped_as_by_tensorflow(norm):
    gradients = [tf.constant([0.6 * norm, -0.8 * norm]), tf.constant([[3.0], [4.0]])]
    model = compile_model(build())
    with fused_training(model):
        clipped = model.optimizer._clip_gradients(gradients)
    for found, gradient in zip(clipped, gradients, strict=True):
        np.testing.assert_allclose(found, tf.clip_by_norm(gradient, 1.0), rtol=1e-6)


def test_a_run_is_trained_so(data_set, tmp_path, monkeypatch):
    calls = []
    adam = tf.raw_ops.ResourceApplyAdam
    monkeypatch.setattr(tf.raw_ops, "ResourceApplyAdam", lambda **inputs: (calls.append(1), adam(**inputs))[1])
    train_run(
        data_set, tmp_path / "run", dataclasses.replace(MODEL, branches="text"), dataclasses.replace(TRAIN, epochs=1)
    )
    assert len(calls) > 5


def test_nothing_is_left_behind(tmp_path):
    model = compile_model(build())
    with pytest.raises(RuntimeError, match="in the middle"), fused_training(model):
        raise RuntimeError("in the middle")
    for owner in [*model._flatten_layers(), model.optimizer]:
        assert not {"call", "inner_loop", *_OF_ADAM_W} & set(vars(owner))
    with fused_training(model):
        train(model)
        model.save(tmp_path / "inside.keras")
    again = keras.models.load_model(tmp_path / "inside.keras")
    assert type(again.optimizer) is keras.optimizers.AdamW
    for one, other in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    inputs = next(iter(batches()))[0]
    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)
