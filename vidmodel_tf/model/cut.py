"""A model cut in two inside its backbone: the part below the cut is frozen, so its outputs can be cached.

    frames ──lower part──> activations ──upper part, projection, head──> scores

An epoch of fine-tuning then costs only the layers that it trains, not the whole backbone.
"""

from __future__ import annotations

import difflib
from typing import Any

import keras
from keras import layers

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.model.build import folded_dtype, side_by_side, split_streams, stream_names
from vidmodel_tf.model.flat_graph import flat_graph
from vidmodel_tf.model.layers import FoldedTimeDistributed, KeepSlots, SlotMask
from vidmodel_tf.model.precision import dtype_policy


def split_backbone(backbone: keras.Model, first_layer: str) -> tuple[keras.Model, keras.Model]:
    """Cuts a CNN in front of one of its layers.

    Args:
        backbone: Images [B, H, W, 3] to [B, F].
        first_layer: The name of the first layer of the upper part.

    Returns:
        The lower part, images to activations [B, h, w, c], and the upper part, activations to [B, F]. Both share
        their layers with the backbone.

    Raises:
        InputError: There is no such layer, or a connection bypasses it.
    """
    flat = flat_graph(backbone)
    names = [layer.name for layer in flat.model.layers]
    if first_layer not in names[1:]:
        near = difflib.get_close_matches(first_layer, names, n=3, cutoff=0.4)
        advice = f"the nearest are {', '.join(near)}" if near else f"the last are {', '.join(names[-3:])}"
        raise InputError(f"fine_tune_from: expected a layer of {backbone.name}; {advice}. Received: {first_layer!r}")
    activations = flat.inputs[first_layer]
    upper = _upper_part(flat.model, activations)
    if upper is None:
        raise InputError(
            f"fine_tune_from: expected a layer of {backbone.name} that all connections lead through, "
            f"such as the first of a block. Received: {first_layer!r}, which some lead past"
        )
    # The name distinguishes the cached activations of different cuts.
    return keras.Model(flat.model.input, activations, name=f"{backbone.name}_below_{first_layer}"), upper


def _upper_part(backbone: keras.Model, activations: Any) -> keras.Model | None:
    if isinstance(activations, list):  # a layer that joins several
        return None
    try:
        return keras.Model(activations, backbone.output, name="upper_backbone")
    except ValueError:  # "disconnected": the output needs more than these activations
        return None


def build_cut_model(model: keras.Model, config: ModelConfig, upper: keras.Model) -> keras.Model:
    """The part of `model` above the cut, with the same layers: training one trains the other.

    Args:
        model: A model of `build_model`.
        config: Its settings.
        upper: The upper part of its backbone, from `split_backbone`.

    Returns:
        A functional model: `activations` at the cut, float32 [B, T, h, w, S * c], and `token_ids` int32 [B, L] to
        `{head: scores}`.
    """
    *picture_shape, num_channels = upper.input_shape[1:]
    with dtype_policy(config.precision):
        folded = FoldedTimeDistributed(upper, inference_only=True, dtype=folded_dtype(config), name="upper_backbone")
        activations_shape = (config.num_frames, *picture_shape, len(stream_names(config)) * num_channels)
        activations = layers.Input(activations_shape, name="activations")
        token_ids = layers.Input((config.num_tokens,), dtype="int32", name="token_ids")
        outputs = []
        for part, stream in zip(split_streams(activations, config), stream_names(config), strict=True):
            x = layers.Activation("linear", dtype="float32", name=f"{stream}_output")(folded(part))
            if stream == "motion":
                x = KeepSlots(name="motion_kept")(x, SlotMask(name="motion_slots")(part))
            outputs.append(x)
        features = model.get_layer("projection")(side_by_side(outputs, "upper_output", "float32"))
        scores = model.get_layer("head")({"features": features, "token_ids": token_ids})
        return keras.Model({"activations": activations, "token_ids": token_ids}, scores, name="vidmodel_cut")
