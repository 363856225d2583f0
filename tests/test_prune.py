"""Channels that are removed from a CNN, and what the others make up for."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.conftest import MODEL
from vidmodel_tf.compression.channel_chains import find_chains
from vidmodel_tf.compression.choose_channels import Moments, choose_channels
from vidmodel_tf.compression.cost import multiply_adds, num_channels
from vidmodel_tf.compression.prune import num_kept, prune_channels
from vidmodel_tf.compression.sampled_inputs import sampled_inputs
from vidmodel_tf.compression.training_images import training_images
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.backbones import BACKBONES
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.frames import decode_questions

IMAGES = np.random.default_rng(0).normal(size=(40, 16, 20, 3)).astype(np.float32)


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def blocks():
    """A plain convolution, a residual block whose inner channels are free, and one as of MobileNet."""
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    x = image = layers.Input((16, 20, 3))
    x = layers.Conv2D(8, 3, 2, "same", activation="relu", name="first")(x)
    x = block = layers.Conv2D(12, 3, padding="same", name="entry")(x)
    x = layers.Conv2D(10, 1, use_bias=False, name="inner")(x)
    x = layers.BatchNormalization(name="inner_norm")(x)
    x = layers.ReLU(name="inner_relu")(x)
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, name="outer")(x)
    x = layers.BatchNormalization(name="outer_norm")(x)
    x = layers.Add(name="add")([x, block])
    x = layers.Conv2D(16, 1, name="expand")(x)
    x = layers.ReLU(6.0, name="expand_relu")(x)
    x = layers.ZeroPadding2D(((0, 1), (1, 0)), name="pad")(x)
    x = layers.DepthwiseConv2D(3, 2, name="depthwise")(x)
    x = layers.Activation("relu", name="depthwise_relu")(x)
    x = layers.Conv2D(14, 1, name="project")(x)
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="pool")(x), name="blocks")
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
        elif len(weights := layer.get_weights()) == 2:
            layer.set_weights([weights[0], rng.normal(size=weights[1].shape) * 0.2])
    return model


def test_the_chains_of_a_network():
    assert [(chain.producer, chain.between, chain.consumer, chain.num_channels) for chain in find_chains(blocks())] == [
        ("first", (), "entry", 8),
        ("inner", ("inner_norm", "inner_relu"), "outer", 10),
        ("expand", ("expand_relu", "pad", "depthwise", "depthwise_relu"), "project", 16),
    ]


@pytest.mark.parametrize(
    ("name", "count", "first"),
    [
        slow("resnet50", 32, "conv2_block1_1_conv conv2_block1_2_conv"),  # two in each of its 16 blocks
        slow("mobilenet_v2", 17, "Conv1 expanded_conv_project"),
        ("efficientnet_lite0", 16, "stem_conv block_0_project_conv"),
        slow("densenet121", 58, "conv2_block1_1_conv conv2_block1_2_conv"),
        ("small_cnn", 3, "block_0_conv block_1_conv"),
    ],
)
def test_the_chains_of_known_networks(name, count, first):
    chains = find_chains(BACKBONES[name].build((64, 64, 3), None))
    assert len(chains) == count
    assert f"{chains[0].producer} {chains[0].consumer}" == first


def test_what_is_no_chain():
    x = image = layers.Input((16, 20, 3))
    shared = layers.Conv2D(8, 1, activation="relu", name="shared")
    x = layers.Conv2D(8, 3, activation="softmax", name="across")(x)
    x = shared(shared(x))
    x = layers.Conv2D(8, 3, name="linear")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="before_groups")(x)
    x = layers.Conv2D(8, 3, groups=2, activation="relu", name="groups")(x)
    x = layers.Conv2D(8, 1, activation="relu", name="read_twice")(x)
    x = layers.Concatenate()([layers.Conv2D(4, 1, name="one")(x), layers.Conv2D(4, 1, name="other")(x)])
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    assert find_chains(model) == []
    with pytest.raises(
        InputError, match=r"prune\.share: expected a backbone in which .* Received: functional.*, which"
    ):
        prune_channels(model, IMAGES, 0.5)


def test_channels_that_give_nothing_go_first_and_nothing_changes():
    model = blocks()
    dead = {"first": [1, 5], "inner": [0, 3, 9], "expand": [2, 7, 8, 15]}
    norm = model.get_layer("inner_norm")
    gamma, beta, mean, variance = norm.get_weights()
    gamma[dead["inner"]] = beta[dead["inner"]] = 0
    norm.set_weights([gamma, beta, mean, variance])
    for name in ("first", "expand"):
        kernel, bias = model.get_layer(name).get_weights()
        kernel[..., dead[name]], bias[dead[name]] = 0, 0
        model.get_layer(name).set_weights([kernel, bias])
    kernel, bias = model.get_layer("depthwise").get_weights()
    bias[dead["expand"]] = -1.0  # the activation behind it gives zero
    model.get_layer("depthwise").set_weights([kernel, bias])
    pruned = prune_channels(model, IMAGES, 0.25)
    assert [pruned.get_layer(name).filters for name in dead] == [6, 8, 12]
    np.testing.assert_allclose(pruned.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=2e-3)


def test_channels_that_others_can_stand_in_for_go_without_loss():
    """Each is there twice, and the larger weights are all on one half of the pairs: by size, whole pairs would go."""
    rng = np.random.default_rng(4)
    pair = rng.permutation(16) % 8
    inputs = rng.normal(size=(400, 8))[:, pair]
    kernel = rng.normal(size=(16, 1, 5)) * np.where(pair < 4, 10, 1)[:, None, None]
    outputs = inputs @ kernel[:, 0]
    kept, fitted, bias = choose_channels(Moments.of(inputs, outputs), kernel, np.zeros(5), 8, np.ones(1))
    assert sorted(pair[kept]) == list(range(8))
    np.testing.assert_allclose(inputs[:, kept] @ fitted[:, 0] + bias, outputs, atol=1e-2, rtol=1e-3)


def test_the_weights_of_those_that_stay_are_fitted_by_least_squares():
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(500, 6, 2)) @ rng.normal(size=(2, 2)) + rng.normal(size=(500, 1, 1))
    outputs = inputs.reshape(500, 12) @ rng.normal(size=(12, 3)) + rng.normal(size=(500, 3))
    moments = Moments.of(inputs[:200].reshape(200, 12), outputs[:200])
    moments += Moments.of(inputs[200:].reshape(300, 12), outputs[200:])
    importance = np.array([1.0, 4.0, 0.5])

    def least_squares(channels):
        design = np.column_stack([inputs[:, channels].reshape(500, -1), np.ones(500)])
        weights = np.linalg.lstsq(design, outputs, rcond=None)[0]
        return weights, (((design @ weights - outputs) ** 2).sum(axis=0) * importance).sum()

    kept, kernel, bias = choose_channels(moments, np.zeros((6, 2, 3)), np.zeros(3), 5, importance)
    best = min(([n for n in range(6) if n != gone] for gone in range(6)), key=lambda rest: least_squares(rest)[1])
    assert kept.tolist() == best
    weights, _ = least_squares(best)
    np.testing.assert_allclose(np.vstack([kernel.reshape(-1, 3), bias]), weights, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3, "strides": 2, "padding": "same"},
        {"kernel_size": (2, 5), "strides": (1, 2), "padding": "valid"},
        {"kernel_size": 3, "dilation_rate": 2, "padding": "same"},
    ],
)
def test_what_is_sampled_is_what_the_convolution_reads(settings):
    convolution = layers.Conv2D(4, **settings)
    expected = convolution(IMAGES).numpy().reshape(len(IMAGES), -1, 4)
    inputs = sampled_inputs(convolution, IMAGES, 10**6, np.random.default_rng(3))
    kernel = convolution.get_weights()[0].reshape(-1, 3, 4)
    found = np.einsum("nck,kco->no", inputs, kernel).reshape(len(IMAGES), -1, 4)
    order = np.random.default_rng(3)
    drawn = np.stack([order.choice(expected.shape[1], expected.shape[1], replace=False) for _ in IMAGES])
    np.testing.assert_allclose(found, np.take_along_axis(expected, drawn[..., None], 1), atol=1e-4)
    few = sampled_inputs(convolution, IMAGES, 5, np.random.default_rng(3))
    assert few.shape == (5 * len(IMAGES), 3, len(kernel))


@pytest.mark.parametrize(
    ("channels", "share", "left"), [(96, 0.4, 56), (32, 0.9, 8), (10, 0.5, 5), (3, 0.9, 1), (46, 0.01, 46)]
)
def test_how_many_stay(channels, share, left):
    assert num_kept(channels, share) == left


def test_a_share_with_which_nothing_goes_is_refused():
    with pytest.raises(InputError, match=r"prune\.share: expected so much that some channel of blocks goes .* 0\.01$"):
        prune_channels(blocks(), IMAGES, 0.01)


@pytest.mark.parametrize("activation", ["softmax", layers.Softmax(), lambda x: x / keras.ops.sum(x, -1, keepdims=True)])
def test_an_activation_that_mixes_channels_ends_a_chain(activation):
    image = layers.Input((16, 20, 3))
    x = layers.Conv2D(8, 3, activation=activation, name="mixed")(image)
    assert find_chains(keras.Model(image, layers.Conv2D(4, 1)(x))) == []


def test_a_layer_that_reads_nothing_but_zeros_is_pruned_too():
    model = blocks()
    for name in ("first", "entry"):
        model.get_layer(name).set_weights([weights * 0 for weights in model.get_layer(name).get_weights()])
    pruned = prune_channels(model, IMAGES, 0.5)
    np.testing.assert_allclose(pruned(IMAGES), model(IMAGES), atol=1e-4)  # float32


def test_no_images_to_prune_by(data_set):
    data = open_data_set(data_set)
    without = data.with_splits({clip.id: "test" for clip in data.clips})
    with pytest.raises(InputError, match="has no clips in the split 'train', by which a backbone is pruned"):
        training_images(without, MODEL, 8)


def test_the_number_of_parameters_and_of_multiplications_is_that_of_the_formula():
    model = blocks()
    pruned = prune_channels(model, IMAGES, 0.5)
    first, inner, expand = 4, 5, 8
    sizes = {
        "first": (3 * 9 + 1) * first,
        "entry": (first * 9 + 1) * 12,
        "inner": 12 * inner + 4 * inner,
        "outer": (inner * 9 + 1) * 12 + 4 * 12,
        "expand": (12 + 1) * expand + (9 + 1) * expand,
        "project": (expand + 1) * 14,
    }
    assert pruned.count_params() == sum(sizes.values())
    area, small = 8 * 10, 4 * 5
    products = area * (27 * first + first * 9 * 12 + 12 * inner + inner * 9 * 12 + 12 * expand)
    assert multiply_adds(pruned) == products + small * (9 * expand + expand * 14)
    assert num_channels(pruned) == first + 12 + inner + 12 + expand + 14
    assert num_channels(model) == 8 + 12 + 10 + 12 + 16 + 14


def test_multiplications_as_tensorflow_counts_them():
    cnn = BACKBONES["efficientnet_lite0"].build((64, 96, 3), None)
    graph = tf.function(lambda image: cnn(image, training=False)).get_concrete_function(tf.TensorSpec((1, 64, 96, 3)))
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    found = tf.compat.v1.profiler.profile(graph.graph, cmd="scope", options=options)
    assert found.total_float_ops == pytest.approx(2 * multiply_adds(cnn), rel=0.05)  # BatchNorm and pooling too


def test_layers_that_cannot_be_counted():
    tokens = layers.Reshape((-1, 3))(image := layers.Input((16, 20, 3)))
    attention = layers.MultiHeadAttention(1, 2)(tokens, tokens)
    assert multiply_adds(keras.Model(image, layers.GlobalAveragePooling1D()(attention))) is None


def test_the_images_are_the_frames_and_motion_images_of_the_training_clips(data_set):
    data, config = open_data_set(data_set), dataclasses.replace(MODEL, streams="both")
    found = training_images(data, config, 30)
    np.testing.assert_array_equal(found, training_images(data, config, 30))
    frames = decode_questions([question for _, question in data.questions("train", config)], config).astype(np.float32)
    motion = np.minimum(config.motion_gain * np.abs(np.diff(frames, axis=1)), 255)
    of_clips = np.concatenate([frames, motion], axis=1)  # [n, 2 T - 1, H, W, 3]
    of_each = -(-30 // len(frames))
    assert len(found) == of_each * len(frames)
    for number, images in enumerate(of_clips):
        mine = found[number * of_each : (number + 1) * of_each]
        places = [int(np.argmin(np.abs(images - image).max(axis=(1, 2, 3)))) for image in mine]
        np.testing.assert_array_equal(mine, images[places])
        assert mine.any(axis=(1, 2, 3)).all()
    assert len(training_images(data, MODEL, 3)) == -(-len(frames) // (len(frames) // 3))
