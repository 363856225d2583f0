"""Bias correction: the mean shift that int8 causes in a CNN's outputs, added to the means that standardise them.

Rounding in every layer moves the mean of an output, and where an output varies little, standardisation makes much of
that. After Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction" (2019), section 4.2,
with the means of real clips.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import cast

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.export.lite.convert import LitePrecision, convert
from vidmodel_tf.export.lite.frame_pair import frame_pair_function, frame_pair_specs
from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.layers import Standardization

FramePairs = Callable[[], Iterator[dict[str, np.ndarray]]]


def with_corrected_bias(parts: InferenceParts, precision: LitePrecision, frame_pairs: FramePairs) -> InferenceParts:
    """The same parts, with a copy of the projection that expects the mean outputs of the rounded CNN.

    Args:
        parts: A trained model that takes frames.
        precision: "int8" or "dynamic".
        frame_pairs: `frame` and `previous_frame`, uint8 [1, H, W, 3], from training clips.
    """
    exact, rounded = _encode_both_ways(parts, precision, frame_pairs)
    projection = keras.models.clone_model(parts.projection)
    projection.set_weights(cast(keras.Model, parts.projection).get_weights())
    layers = [layer for layer in projection.layers if isinstance(layer, Standardization)]
    streams = (np.split(outputs, len(layers), axis=-1) for outputs in (exact, rounded))
    for layer, wanted, got in zip(layers, *streams, strict=True):
        slots = (wanted != 0).any(axis=-1)  # those without motion are zero in both
        if slots.any():
            layer.mean.assign_add((got - wanted)[slots].mean(axis=0))
    return dataclasses.replace(parts, projection=projection)


def _encode_both_ways(
    parts: InferenceParts, precision: LitePrecision, frame_pairs: FramePairs
) -> tuple[np.ndarray, np.ndarray]:
    """Backbone outputs [n, S * F] of the frame pairs, exact and rounded."""
    encoder = build_frame_encoder(parts.config, parts.backbone, previous_given=True)
    encode = tf.function(frame_pair_function(encoder, "output"), autograph=False)
    file = convert(encode, frame_pair_specs(parts.config), [encoder], precision, frame_pairs)
    run_file = Interpreter(model_content=file).get_signature_runner()
    exact, rounded = [], []
    for pair in frame_pairs():
        exact.append(encode(**pair)["output"].numpy()[0])
        rounded.append(run_file(**pair)["output"][0])
    return np.stack(exact), np.stack(rounded)
