"""A backbone from KerasHub: the image encoder of a preset, with its own scaling, pooled as its family means it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import layers

from vidmodel_tf.errors import InputError, VidmodelError, cause
from vidmodel_tf.extras import import_extra
from vidmodel_tf.model.image_encoder import check_serialized, serialize_encoder, with_fixed_input
from vidmodel_tf.model.layers import FirstToken

# Families whose token 0 is the class token, which stands for the image. For CLIP that is the vector before the
# projection to the words' space, which Radford et al., "Learning transferable visual models from natural language
# supervision" (2021), appendix A, train their classifiers on.
_CLASS_TOKEN = (
    "ViTBackbone", "DeiTBackbone", "DINOV2Backbone", "DINOV3Backbone", "CLIPVisionEncoder", "MetaCLIP2VisionEncoder",
)  # fmt: skip
# Models of images and words, of which only the image encoder is taken.
_WITH_WORDS = ("CLIPBackbone", "SigLIPBackbone", "MetaCLIP2Backbone")
_ANY_SIZE = ("DINOV2Backbone", "DINOV3Backbone")  # their position embeddings are interpolated when a preset is loaded


def load_hub_backbone(preset: str, height: int, width: int, *, load_weights: bool = True) -> keras.Model:
    """Loads the image encoder of a preset with its weights, downloading what is not there.

    Args:
        preset: The name of a preset of KerasHub, or a folder made by `save_to_preset`.
        height: Of the images that it will be given, in pixels.
        width: Pixels.
        load_weights: False leaves the weights random and downloads none.

    Returns:
        A functional model, pixels 0..255 float32 [B, H, W, 3] to [B, F].

    Raises:
        InputError: KerasHub is not installed, or the preset cannot serve as a backbone.
        VidmodelError: The preset cannot be downloaded.
    """
    hub = import_extra("keras_hub", extra="hub", needed_for="backbones of KerasHub")
    subject = f"keras_hub:{preset}"
    backbone = _load(hub.models.Backbone, preset, subject, load_weights=load_weights)
    if type(backbone).__name__ in _ANY_SIZE:
        shape = (height, width, 3)
        backbone = _load(hub.models.Backbone, preset, subject, load_weights=load_weights, image_shape=shape)
    network = backbone.vision_encoder if type(backbone).__name__ in _WITH_WORDS else backbone
    _check_is_of_images(network, subject)
    converter = _load(hub.layers.ImageConverter, preset, subject)
    return _with_scaling(_renewed(network), converter, height, width, subject)


def _load(kind: Any, preset: str, subject: str, **arguments: Any) -> Any:
    try:
        return kind.from_preset(preset, **arguments)
    except Exception as error:  # of the file system, the download, HDF5, Keras or KerasHub
        if Path(preset).is_dir():
            raise InputError(
                "expected a folder that save_to_preset of a KerasHub task wrote, with its backbone and its image "
                f"converter, which says how pixels are scaled. Received: {cause(error)}",
                subject=subject,
            ) from error
        raise VidmodelError(
            f"the preset cannot be loaded ({cause(error)}): check its name and the network, or save it to a folder "
            "where there is one (save_to_preset) and give keras_hub:FOLDER",
            subject=subject,
        ) from error


def _check_is_of_images(network: keras.Model, subject: str) -> None:
    inputs, outputs = getattr(network, "inputs", []), getattr(network, "outputs", [])
    is_known = len(outputs) == 1 and (
        len(outputs[0].shape) in (2, 4) or (len(outputs[0].shape) == 3 and type(network).__name__ in _CLASS_TOKEN)
    )
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or not is_known:
        raise InputError(
            "expected the preset of an image encoder, such as SigLIP, CLIP, DINOv2, ViT or ResNet. "
            f"Received: a {type(network).__name__}",
            subject=subject,
        )


def _renewed(network: keras.Model) -> keras.Model:
    """The same network under a name that does not count up, in the precision that layers are built in now."""
    settings = {**network.get_config(), "name": "encoder", "dtype": keras.config.dtype_policy().name, "trainable": True}
    renewed = type(network).from_config(settings)
    renewed.set_weights(network.get_weights())
    return renewed


def _with_scaling(network: keras.Model, converter: Any, height: int, width: int, subject: str) -> keras.Model:
    image = layers.Input(network.inputs[0].shape[1:], name="image")
    # In float32 whatever the precision of the rest is.
    x = layers.Rescaling(_values(converter.scale, 1.0), _values(converter.offset, 0.0), dtype="float32",
                         name="scale_pixels")(image)  # fmt: skip
    x = network({next(iter(network.input)): x} if isinstance(network.input, dict) else x)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="average_pool")(x)
    elif len(x.shape) == 3:
        has_class_token = getattr(network, "use_class_token", True)
        x = (FirstToken(name="class_token") if has_class_token else layers.GlobalAveragePooling1D(name="mean_token"))(x)
    encoder = keras.Model(image, x, name="hub_backbone")
    check_serialized(serialize_encoder(encoder), subject)
    return with_fixed_input(encoder, height, width, subject)


def _values(values: Any, default: float) -> Any:
    """A number for all channels, or one for each."""
    if values is None:
        return default
    if isinstance(values, (int, float)):
        return float(values)
    values = [float(value) for value in values]
    # TensorFlow Lite takes ten times as long for three equal numbers as for one.
    return values[0] if len(set(values)) == 1 else values
