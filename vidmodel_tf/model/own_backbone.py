"""Backbones that users bring: `FILE.keras`, or `keras_hub:PRESET`.

Settings name them by where they are read from until a run is planned. In a run's settings stands what they are:
`file:SHA256` or `keras_hub:NAME`, and as `weights` the hash of the weights that came with them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import keras

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.backbone_file import check_backbone_file, load_backbone_model
from vidmodel_tf.model.hub_preset import load_hub_backbone
from vidmodel_tf.model.image_encoder import in_float32, serialize_encoder
from vidmodel_tf.model.precision import dtype_policy
from vidmodel_tf.storage import file_sha256

_FILE, _HUB, _HASH = "file:", "keras_hub:", "sha256:"


def is_own_backbone(name: str) -> bool:
    """Whether a backbone is one that the user brings, by where it is read from or by what it is.

    Example:
        >>> [is_own_backbone(name) for name in ("resnet50", "keras_hub:vit", "my.keras")]
        [False, True, True]
    """
    return name.startswith((_FILE, _HUB)) or name.endswith(".keras")


def is_identified(config: ModelConfig) -> bool:
    """Whether settings are those of a run, which name a backbone that the user brought by what it is."""
    source = config.backbone
    return source.startswith(_FILE) or (source == _preset_name(source) and config.weights.startswith(_HASH))


def identify_backbone(config: ModelConfig) -> tuple[ModelConfig, keras.Model | None]:
    """The settings of a run: a backbone that the user brings is named by what it is, not by where it was found.

    Args:
        config: Settings as the user gives them.

    Returns:
        The settings, and the backbone if it had to be loaded for them.

    Raises:
        InputError: The backbone cannot be read or cannot serve, or its weights are not those that `weights` names.
        VidmodelError: A preset cannot be downloaded.
    """
    if not is_own_backbone(config.backbone):
        return config, None
    source, encoder = config.backbone, None
    if source.startswith(_HUB):
        name, found = _preset_name(source), ""
        if config.weights != "none":
            encoder = load_own_backbone(source, dataclasses.replace(config, weights="imagenet"))
            found = _hash_of(encoder)
    else:
        _check_is_source(source)
        found = file_sha256(Path(source))
        name = _FILE + found
    weights = "none" if config.weights == "none" else _HASH + found
    if config.weights not in ("imagenet", weights):
        raise InputError(
            f"weights: expected 'none', or 'imagenet' for those that come with {source} ({weights}). "
            f"Received: {config.weights!r}"
        )
    return dataclasses.replace(config, backbone=name, weights=weights), encoder


def load_own_backbone(source: str, config: ModelConfig, *, load_weights: bool = True) -> keras.Model:
    """Loads a backbone that the user brings, with its weights.

    Args:
        source: `FILE.keras` or `keras_hub:PRESET`, PRESET a name or a folder.
        config: The settings of the model: size and precision, and the hash of the weights, once that is known.
        load_weights: False leaves the weights random and downloads none.

    Returns:
        A functional model, pixels 0..255 float32 [B, H, W, 3] to [B, F]. Random where `config.weights` is "none".

    Raises:
        InputError: It cannot be read or cannot serve, or is no longer what it was when the run was planned.
        VidmodelError: A preset cannot be downloaded.
    """
    _check_is_source(source)
    load_weights = load_weights and config.weights != "none"
    with dtype_policy(config.precision):
        if source.startswith(_HUB):
            preset = source.removeprefix(_HUB)
            encoder = load_hub_backbone(preset, config.height, config.width, load_weights=load_weights)
        else:
            encoder = load_backbone_model(source, config.height, config.width)
    if config.precision == "float32":  # as the run is rebuilt
        encoder = in_float32(encoder, source)
    if load_weights and config.weights.startswith(_HASH):
        found = _hash_of(encoder) if source.startswith(_HUB) else file_sha256(Path(source))
        if config.weights != _HASH + found:
            raise InputError(f"{source} was changed while the run was planned: call again")
    return encoder if load_weights else keras.models.clone_model(encoder)


def _check_is_source(source: str) -> None:
    if source.startswith(_FILE):
        raise InputError(f"{source} says what the backbone is, not where: give the file itself (--backbone FILE.keras)")
    if not source.startswith(_HUB):
        check_backbone_file(source)


def _preset_name(source: str) -> str:
    """Only the last part of a folder or an address, for the rest is a place; Kaggle's end with a version."""
    preset = Path(source.removeprefix(_HUB))
    return _HUB + (preset.parent.name if preset.name.isdecimal() and preset.parent.name else preset.name)


def _hash_of(encoder: keras.Model) -> str:
    """Of everything that its outputs depend on."""
    digest = hashlib.sha256(json.dumps(serialize_encoder(encoder), sort_keys=True).encode())
    for values in encoder.get_weights():
        digest.update(values.tobytes())
    return digest.hexdigest()
