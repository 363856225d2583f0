"""A model compiled for inference: the same rows whatever they stand beside, and few compilations."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from vidmodel_tf.backend import compiled as backend
from vidmodel_tf.backend.compiled import _BatchOfKnownSize, _on_devices, compiled
from vidmodel_tf.backend.devices import find_devices

ON_TWO = """
import keras
from tests import test_compiled
assert keras.backend.backend() == "jax" and len(keras.distribution.list_devices()) == 2
test_compiled.answer_on_one_and_two()
"""


@pytest.fixture(scope="module")
def model():
    return make_model()


def make_model():
    """Of two inputs and two named outputs."""
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((3,), name="b")}
    dense = keras.layers.Dense(2, name="dense")(inputs["a"])
    return keras.Model(inputs, {"sum": keras.layers.Add()([inputs["a"], inputs["b"]]), "dense": dense})


def rows(count):
    numbers = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    return {"a": numbers, "b": numbers**2}


@pytest.mark.parametrize("compile_model", [compiled, lambda model: _BatchOfKnownSize(compiled(model))])
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


def test_smaller_batches_are_filled_up_to_a_known_size():
    sizes = []
    infer = _BatchOfKnownSize(lambda inputs: sizes.append(len(inputs["a"])) or inputs)
    for count in (8, 7, 4, 3, 1, 2):
        infer(rows(count))
    assert sizes == [8, 8, 8, 3, 1, 3]


def answer_on_one_and_two():
    """The tests above, under JAX, on one device and on two that share each batch."""
    for number in (1, 2):
        with find_devices(number).scope(), pytest.MonkeyPatch.context() as patch:
            model, shares = make_model(), []
            patch.setattr(backend, "_on_devices", lambda rows, shares=shares: keep_shares(_on_devices(rows), shares))
            before = [variable.value for variable in model.variables]
            test_rows_come_back_as_the_layers_compute_them(model, compiled)
            assert all(one.value is other for one, other in zip(model.variables, before, strict=True))
            test_weights_that_change_later_count(model)
        of_four_rows = shares[0]
        assert of_four_rows == ([] if number == 1 else [2, 2])


def keep_shares(rows, shares):
    """Notes how many rows lie on each device."""
    shares.append([len(shard.data) for shard in getattr(rows, "addressable_shards", ())])
    return rows


@pytest.mark.slow
def test_devices_of_jax_share_a_batch():
    pytest.importorskip("jax", reason="the extra jax is not installed")
    two = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-c", ON_TWO], env={**os.environ, **two}, cwd=root, check=True)
