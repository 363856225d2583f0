"""The formulas of the article that the model was built after, worked in NumPy, against the layers of our own models.

Where the article's text and its formulas differ, the text and the papers count: its candidate of the LSTM's cell names
the recurrent weights of the input gate, every gate has its own; the size of a convolution's output is rounded down; and
an RNN over words reads its own last state beside the word.

Legend of shapes: B batch, T frames, L words, D features, U units.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.model.backbones import build_backbone
from vidmodel_tf.model.build import build_model

B, T, L, D, U = 3, 5, 4, 6, 8
ATOL = 1e-5  # float32 against float64, numbers of order 1
TOKEN_IDS = np.array([[7, 2, 9, 4], [3, 0, 0, 0], [5, 5, 6, 0]], np.int32)


def model_of(**settings) -> keras.Model:
    """A small model with random numbers in every weight, biases too."""
    config = ModelConfig(
        backbone="small_cnn", weights="none", num_frames=T, height=32, width=32, projection_units=D, lstm_units=U,
        num_heads=2, num_tokens=L, embedding_units=D, text_lstm_units=U, hidden_units=7, **settings,
    )  # fmt: skip
    model = build_model(config, {"kind": ["a", "b", "c"]}, 10)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name != "variance":
            weight.assign(rng.normal(scale=0.7, size=weight.shape))
    return model


def outputs_of(model: keras.Model, *names: str) -> list[np.ndarray]:
    """What layers of the head give for random features and `TOKEN_IDS`, and before them those features."""
    head = model.get_layer("head")
    features = np.random.default_rng(1).normal(size=(B, T, D)).astype(np.float32)
    inner = keras.Model(head.input, [head.get_layer(name).output for name in names])
    return [features, *inner.predict_on_batch({"features": features, "token_ids": TOKEN_IDS})]


def weights_of(model: keras.Model, name: str) -> list[np.ndarray]:
    return [weight.numpy().astype(np.float64) for weight in model.get_layer("head").get_layer(name).weights]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def normalized(x, gamma, beta):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6) * gamma + beta


def lstm_states(x, kernel, recurrent, bias):
    """h of every step [n, steps, U]. The gates stand in Keras's order: i, f, the candidate of c, o."""
    (w_i, w_f, w_c, w_o), (u_i, u_f, u_c, u_o) = np.split(kernel, 4, axis=1), np.split(recurrent, 4, axis=1)
    b_i, b_f, b_c, b_o = np.split(bias, 4)
    h = c = np.zeros((len(x), len(b_i)))
    states = []
    for x_t in np.moveaxis(x, 1, 0):
        i = sigmoid(x_t @ w_i + h @ u_i + b_i)
        f = sigmoid(x_t @ w_f + h @ u_f + b_f)
        o = sigmoid(x_t @ w_o + h @ u_o + b_o)
        c = f * c + i * np.tanh(x_t @ w_c + h @ u_c + b_c)
        h = o * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)


def gru_states(x, kernel, recurrent, biases):
    """h of every step: Cho et al. (2014), the reset gate behind the matrix product, as cuDNN has it."""
    (w_z, w_r, w_h), (u_z, u_r, u_h) = np.split(kernel, 3, axis=1), np.split(recurrent, 3, axis=1)
    (b_z, b_r, b_h), (d_z, d_r, d_h) = (np.split(bias, 3) for bias in biases)
    h = np.zeros((len(x), len(b_z)))
    states = []
    for x_t in np.moveaxis(x, 1, 0):
        z = sigmoid(x_t @ w_z + b_z + h @ u_z + d_z)
        r = sigmoid(x_t @ w_r + b_r + h @ u_r + d_r)
        h = z * h + (1 - z) * np.tanh(x_t @ w_h + b_h + r * (h @ u_h + d_h))
        states.append(h)
    return np.stack(states, axis=1)


@pytest.mark.parametrize(("temporal", "states"), [("lstm", lstm_states), ("gru", gru_states)])
def test_gates_over_frames(temporal, states):
    """Section 4.1.2, gate by gate and step by step: all outputs of the first layer, the last one of the second."""
    model = model_of(temporal=temporal, num_layers=2)
    features, first, second = outputs_of(model, f"appearance.{temporal}_0", f"appearance.{temporal}_1")
    expected = states(features, *weights_of(model, f"appearance.{temporal}_0"))
    np.testing.assert_allclose(first, expected, atol=ATOL)
    np.testing.assert_allclose(
        second, states(expected, *weights_of(model, f"appearance.{temporal}_1"))[:, -1], atol=ATOL
    )


def test_scaled_dot_product_attention_over_frames():
    """Vaswani et al., "Attention Is All You Need", equation 1 for each head, and the block around it."""
    model = model_of(temporal="transformer")
    block = "appearance.transformer_0"
    names = ("appearance.positions", f"{block}.attention", f"{block}.attention_sum", f"{block}.mlp_sum")
    features, x, found, attended, block_output = outputs_of(model, *names)
    kernel, bias = weights_of(model, "appearance.transformer_input")
    np.testing.assert_allclose(x, features @ kernel + bias + weights_of(model, "appearance.positions")[0], atol=ATOL)

    # Kernels [U, heads, d] and biases [heads, d] of queries, keys and values; then [heads, d, U] and [U].
    *projections, w_o, b_o = weights_of(model, f"{block}.attention")
    inner = normalized(x.astype(np.float64), *weights_of(model, f"{block}.attention_norm"))
    heads = []
    for head in range(2):
        q, k, v = (inner @ kernel[:, head] + bias[head] for kernel, bias in zip(*[iter(projections)] * 2, strict=True))
        heads.append(softmax(q @ np.swapaxes(k, 1, 2) / np.sqrt(U / 2)) @ v @ w_o[head])
    np.testing.assert_allclose(found, sum(heads) + b_o, atol=ATOL)
    np.testing.assert_allclose(attended, x + found, atol=ATOL)

    inner = normalized(attended.astype(np.float64), *weights_of(model, f"{block}.mlp_norm"))
    (w_1, b_1), (w_2, b_2) = weights_of(model, f"{block}.mlp_hidden"), weights_of(model, f"{block}.mlp")
    expected = attended + np.maximum(inner @ w_1 + b_1, 0) @ w_2 + b_2
    np.testing.assert_allclose(block_output, expected, atol=10 * ATOL, rtol=1e-5)  # numbers of order 10


def test_word_vectors_read_by_an_rnn():
    """Section 4.1.3: a word's vector is its row; tanh(W w + b) is the candidate that the text's LSTM makes of it."""
    model = model_of()
    _, vectors, last = outputs_of(model, "text.embedding", "text.lstm")
    (table,) = weights_of(model, "text.embedding")
    np.testing.assert_allclose(vectors, np.eye(10)[TOKEN_IDS] @ table, atol=ATOL)
    states = lstm_states(table[TOKEN_IDS], *weights_of(model, "text.lstm"))
    num_words = [4, 1, 3]  # of TOKEN_IDS; padding is not read
    np.testing.assert_allclose(last, states[range(B), np.array(num_words) - 1], atol=ATOL)

    kernel, _, bias = weights_of(model, "text.lstm")
    (w_i, _, w_h, w_o), (b_i, _, b_h, b_o) = np.split(kernel, 4, axis=1), np.split(bias, 4)
    word = table[3]  # the second clip's only word: there is no state before it
    candidate = np.tanh(word @ w_h + b_h)
    expected = sigmoid(word @ w_o + b_o) * np.tanh(sigmoid(word @ w_i + b_i) * candidate)
    np.testing.assert_allclose(last[1], expected, atol=ATOL)


def test_both_are_concatenated_and_classified():
    """Sections 4.3 and 5.2: fully connected layers on the two vectors side by side, scores by softmax."""
    model = model_of()
    _, frames, words, scores = outputs_of(model, "appearance.lstm_0", "text.lstm", "kind")
    (w_1, b_1), (w_2, b_2) = weights_of(model, "hidden.dense"), weights_of(model, "kind")
    hidden = np.maximum(np.concatenate([frames, words], axis=1) @ w_1 + b_1, 0)
    np.testing.assert_allclose(scores, softmax(hidden @ w_2 + b_2), atol=ATOL)


def test_a_convolution_is_its_sum_over_windows():
    """Section 4.1.1: floor((n + 2p - k) / s) + 1 windows a side, each multiplied by the kernel and summed."""
    n = 33
    cnn = build_backbone("small_cnn", n, n, "none")
    layer = cnn.get_layer("block_0_conv")
    layer.bias.assign(np.random.default_rng(1).normal(size=layer.bias.shape))
    kernel, bias = (weight.astype(np.float64) for weight in layer.get_weights())
    k, s, (before, total) = len(kernel), layer.strides[0], padding_of(layer, n)
    size = (n + total - k) // s + 1
    images = np.random.default_rng(0).normal(size=(2, n, n, 3)).astype(np.float32)
    padded = np.pad(images, [(0, 0), *[(before, total - before)] * 2, (0, 0)])
    expected = np.zeros((2, size, size, len(bias)))
    for row, column in np.ndindex(size, size):
        window = padded[:, row * s : row * s + k, column * s : column * s + k]
        expected[:, row, column] = np.maximum(np.tensordot(window, kernel, 3) + bias, 0)
    found = keras.Model(cnn.input, layer.output).predict_on_batch(images)
    np.testing.assert_allclose(found, expected, atol=ATOL)


@pytest.mark.parametrize("name", ["small_cnn", "efficientnet_lite0", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_sizes_inside_the_backbones(name):
    """Every convolution and pooling of a backbone, with the padding that stands before it or that it adds itself."""
    cnn = build_backbone(name, 160, 160, "none")
    pads = {id(layer.output): layer for layer in cnn.layers if isinstance(layer, keras.layers.ZeroPadding2D)}
    counted = 0
    for layer in cnn.layers:
        if not isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.MaxPooling2D):
            continue
        pad = pads.get(id(layer.input))
        n = (pad or layer).input.shape[1]
        own = sum(pad.padding[0]) if pad else 0
        k, s = (
            (layer.pool_size if isinstance(layer, keras.layers.MaxPooling2D) else layer.kernel_size)[0],
            layer.strides[0],
        )
        total = own + padding_of(layer, n + own)[1]
        assert layer.output.shape[1] == (n + total - k) // s + 1, layer.name
        counted += 1
    assert counted >= 4


def padding_of(layer: keras.Layer, n: int) -> tuple[int, int]:
    """What a layer adds to a side of n: before it, and in all (2p of the formula)."""
    if layer.padding == "valid":
        return 0, 0
    k, s = (layer.pool_size if isinstance(layer, keras.layers.MaxPooling2D) else layer.kernel_size)[0], layer.strides[0]
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total
