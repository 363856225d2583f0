"""Backbones that a user might bring: a Keras file with a model inside a model, and presets of KerasHub."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers


def save_backbone_file(path: Path, *, height: int | None = None, width: int | None = None, seed: int = 5) -> Path:
    """A pretrained CNN with its scaling; inside it a sequential model and a frozen one, as transfer learning has it."""
    keras.utils.set_random_seed(seed)
    inner_input = layers.Input((None, None, 8))
    x = layers.Conv2D(16, 3, 2, "same", use_bias=False, name="inner_conv")(inner_input)
    x = layers.BatchNormalization(name="inner_norm")(x)
    x = layers.Activation("relu", name="inner_relu")(x)
    inner = keras.Model(inner_input, layers.Conv2D(128, 3, padding="same", name="inner_last")(x), name="inner")
    image = layers.Input((height, width, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, -1, name="own_scaling")(image)
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False, name="first_conv")(x)
    x = layers.BatchNormalization(name="first_norm")(x)
    x = inner(keras.Sequential([layers.Activation("relu", name="first_relu")], name="chain")(x))
    model = keras.Model(image, layers.GlobalAveragePooling2D(name="pool")(x), name="of_a_user")
    rng = np.random.default_rng(seed)
    for norm in (model.get_layer("first_norm"), inner.get_layer("inner_norm")):
        norm.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in norm.weights])
    inner.trainable = False
    model.save(path)
    return path


def save_hub_preset(folder: Path, *, height: int = 32, width: int = 40, seed: int = 5) -> Path:
    """A vision transformer with its image converter."""
    import keras_hub

    keras.utils.set_random_seed(seed)
    network = keras_hub.models.ViTBackbone(
        image_shape=(height, width, 3), patch_size=(8, 8), num_layers=2, num_heads=2, hidden_dim=48, mlp_dim=96
    )
    network.save_to_preset(str(folder))
    keras_hub.layers.ViTImageConverter(
        image_size=(height, width), scale=[0.01, 0.02, 0.015], offset=[-1.0, -2.0, -1.5]
    ).save_to_preset(str(folder))
    return folder
