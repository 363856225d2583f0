"""The CNNs that encode a single frame, by name: scaled images [B, H, W, 3] -> pooled features [B, F]."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from vidmodel_tf.errors import InputError
from vidmodel_tf.model.efficientnet_lite import efficientnet_lite0
from vidmodel_tf.model.layers import ScaleFrames
from vidmodel_tf.model.own_backbone import is_own_backbone
from vidmodel_tf.model.pretrained import load_backbone_file, report_failed_download

InputShape = tuple[int, int, int]  # H, W, 3


@dataclasses.dataclass(frozen=True)
class Scaling:
    """The pixel scaling that a family of CNNs was trained with: (pixel - mean) / deviation, by channel, from 0..255."""

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    reverse_channels: bool = False  # BGR


@dataclasses.dataclass(frozen=True)
class Backbone:
    """One CNN.

    Attributes:
        build: `build(input_shape, weights)` with weights "imagenet" or None.
        scaling: The pixel scaling that it was trained with.
        last_block: The first layer of its last block, from which fine-tuning starts by default.
        min_size: Pixels that height and width must have at least.
        weights_file: The file that Keras downloads for "imagenet"; "" where it downloads none.
        has_imagenet: Whether there are ImageNet weights.
    """

    build: Callable[[InputShape, str | None], keras.Model]
    scaling: Scaling
    last_block: str
    min_size: int = 32
    weights_file: str = ""
    has_imagenet: bool = True


def small_cnn(input_shape: InputShape, weights: str | None = None) -> keras.Model:
    """Four strided convolutions without BatchNorm, [B, H, W, 3] -> [B, 128]: trains from scratch in seconds."""
    x = inputs = layers.Input(input_shape)
    for block, channels in enumerate((32, 64, 96, 128)):
        x = layers.Conv2D(
            channels, 3, 2, "same", activation="relu", kernel_initializer="he_normal", name=f"block_{block}_conv"
        )(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="average_pool")(x), name="small_cnn")


def _application(name: str, input_shape: InputShape, weights: str | None, **arguments: Any) -> keras.Model:
    with warnings.catch_warnings():
        # MobileNet warns that weights of 224 x 224 are loaded for other sizes, which is intended here.
        warnings.filterwarnings("ignore", message="`input_shape` is undefined or non-square")
        constructor = getattr(keras.applications, name)
        return constructor(include_top=False, weights=weights, input_shape=input_shape, pooling="avg", **arguments)


def _of_keras(name: str, **arguments: Any) -> Callable[[InputShape, str | None], keras.Model]:
    return functools.partial(_application, name, **arguments)


_SYMMETRIC = Scaling((127.5,) * 3, (127.5,) * 3)  # -1..1
_CAFFE = Scaling((103.939, 116.779, 123.68), reverse_channels=True)
_STANDARDIZED = Scaling((255 * 0.485, 255 * 0.456, 255 * 0.406), (255 * 0.229, 255 * 0.224, 255 * 0.225))
_KERNELS = "weights_tf_dim_ordering_tf_kernels"
# Some of Keras's models contain the scaling; under mixed precision it would run in half precision.
_UNSCALED = {"include_preprocessing": False}

BACKBONES: dict[str, Backbone] = {
    "resnet50": Backbone(
        _of_keras("ResNet50"), _CAFFE, "conv5_block1_1_conv", weights_file=f"resnet50_{_KERNELS}_notop.h5"
    ),
    "resnet101": Backbone(
        _of_keras("ResNet101"), _CAFFE, "conv5_block1_1_conv", weights_file=f"resnet101_{_KERNELS}_notop.h5"
    ),
    "resnet50_v2": Backbone(
        _of_keras("ResNet50V2"), _SYMMETRIC, "conv5_block1_preact_bn", weights_file=f"resnet50v2_{_KERNELS}_notop.h5"
    ),
    "mobilenet_v2": Backbone(
        _of_keras("MobileNetV2"),
        _SYMMETRIC,
        "block_16_expand",
        weights_file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{size}_no_top.h5",
    ),
    "mobilenet_v3_small": Backbone(
        _of_keras("MobileNetV3Small", **_UNSCALED),
        _SYMMETRIC,
        "expanded_conv_10_expand",
        weights_file="weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    ),
    "mobilenet_v3_large": Backbone(
        _of_keras("MobileNetV3Large", **_UNSCALED),
        _SYMMETRIC,
        "expanded_conv_14_expand",
        weights_file="weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    ),
    "efficientnet_v2_b0": Backbone(
        _of_keras("EfficientNetV2B0", **_UNSCALED),
        _STANDARDIZED,
        "block6a_expand_conv",
        weights_file="efficientnetv2-b0_notop.h5",
    ),
    "densenet121": Backbone(
        _of_keras("DenseNet121"), _STANDARDIZED, "conv5_block1_0_bn", weights_file=f"densenet121_{_KERNELS}_notop.h5"
    ),
    "efficientnet_lite0": Backbone(efficientnet_lite0, Scaling((127.0,) * 3, (128.0,) * 3), "block_15_expand_conv"),
    "small_cnn": Backbone(small_cnn, _SYMMETRIC, "block_3_conv", has_imagenet=False),
}


def find_backbone(name: str) -> Backbone:
    """The backbone of that name.

    Raises:
        InputError: There is none; the message names those that there are.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    near = difflib.get_close_matches(name, BACKBONES, n=1)
    advice = f"did you mean {near[0]!r}? " if near else ""
    raise InputError(
        f"backbone: {advice}expected one of {', '.join(BACKBONES)}, a FILE.keras or keras_hub:PRESET. "
        f"Received: {name!r}"
    )


def build_backbone(name: str, height: int, width: int, weights: str) -> keras.Model:
    """Builds the CNN under the global dtype policy.

    Args:
        name: One of `BACKBONES`.
        height: Pixels.
        width: Pixels.
        weights: "imagenet", "none" or the path of a file (`.weights.h5`, `.keras` or one of Keras's own `.h5`
            without top).

    Returns:
        A functional model, scaled images [B, H, W, 3] -> [B, F].

    Raises:
        InputError: The name is unknown, the picture too small, or the weights are missing or do not fit.
        VidmodelError: The ImageNet weights cannot be downloaded.
    """
    backbone = find_backbone(name)
    if min(height, width) < backbone.min_size:
        raise InputError(
            f"{name}: expected height and width of at least {backbone.min_size} pixels. Received: {height} x {width}"
        )
    shape = (height, width, 3)
    if weights == "imagenet":
        return _with_imagenet_weights(name, backbone, shape)
    model = backbone.build(shape, None)
    if weights != "none":
        load_backbone_file(model, weights, name)
    return model


def scaling_layer(name: str) -> ScaleFrames:
    """The layer that turns RGB pixels 0..255 into what the backbone of that name expects.

    A backbone that the user brings contains its scaling, so it gets the pixels as they are.
    """
    scaling = Scaling() if is_own_backbone(name) else find_backbone(name).scaling
    return ScaleFrames(**dataclasses.asdict(scaling), name="scale_frames")


def _with_imagenet_weights(name: str, backbone: Backbone, shape: InputShape) -> keras.Model:
    if not backbone.has_imagenet:
        raise InputError(f"{name} has no ImageNet weights: expected weights 'none' or the path of a weights file")
    if not backbone.weights_file:
        return backbone.build(shape, "imagenet")
    height, width, _ = shape
    size = height if height == width and height in (96, 128, 160, 192) else 224
    with report_failed_download(name, backbone.weights_file.format(size=size)):
        return backbone.build(shape, "imagenet")
