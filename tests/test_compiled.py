"""A model compiled for inference: the same rows whatever they stand beside, and few compilations."""

import keras
import numpy as np
import pytest

from vidmodel_tf.backend.compiled import _BatchOfKnownSize, compiled


@pytest.fixture(scope="module")
def model():
    """Of two inputs and two named outputs."""
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((3,), name="b")}
    dense = keras.layers.Dense(2, name="dense")(inputs["a"])
    return keras.Model(inputs, {"sum": keras.layers.Add()([inputs["a"], inputs["b"]]), "dense": dense})


def rows(count):
    numbers = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    return {"a": numbers, "b": numbers**2}


@pytest.mark.parametrize("compile_model", [compiled, _BatchOfKnownSize])
def test_rows_come_back_as_the_layers_compute_them(model, compile_model):
    infer = compile_model(model)
    kernel, bias = model.get_layer("dense").get_weights()
    for count in (4, 3, 1, 6):
        found, inputs = infer(rows(count)), rows(count)
        np.testing.assert_array_equal(found["sum"], inputs["a"] + inputs["b"])
        np.testing.assert_allclose(found["dense"], inputs["a"] @ kernel + bias, rtol=1e-5)
        assert isinstance(found["dense"], np.ndarray)


def test_weights_that_change_later_count(model):
    infer = compiled(model)
    infer(rows(2))
    dense = model.get_layer("dense")
    dense.set_weights([np.zeros((3, 2)), np.array([7.0, 8.0])])
    np.testing.assert_array_equal(infer(rows(2))["dense"], [[7, 8], [7, 8]])


def test_smaller_batches_are_filled_up_to_a_known_size(model, monkeypatch):
    infer, sizes = _BatchOfKnownSize(model), []
    predict = model.predict_on_batch
    monkeypatch.setattr(model, "predict_on_batch", lambda inputs: sizes.append(len(inputs["a"])) or predict(inputs))
    for count in (8, 7, 4, 3, 1, 2):
        infer(rows(count))
    assert sizes == [8, 8, 8, 3, 1, 3]
