"""What rounding to int8 shifts the outputs of a CNN by on average, taken back where they are standardised.

Rounding in every layer moves the mean of an output, and where an output varies little, standardisation makes much of
that. After Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction" (2019), section 4.2,
with the means of real clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from vidmodel_tf.export.lite.convert import LitePrecision, convert
from vidmodel_tf.export.lite.frame_pair import frame_pair_function, frame_pair_specs
from vidmodel_tf.export.parts import InferenceParts
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.layers import Standardization

FramePairs = Callable[[], Iterator[dict[str, np.ndarray]]]


def correct_bias(parts: InferenceParts, precision: LitePrecision, frame_pairs: FramePairs) -> None:
    """Moves the means of the standardisation of `parts.projection` by what rounding moves the backbone outputs by.

    Args:
        parts: A trained model that looks at frames.
        precision: "int8" or "dynamic".
        frame_pairs: `frame` and `previous_frame`, uint8 [1, H, W, 3], from training clips.
    """
    encoder = build_frame_encoder(parts.config, parts.backbone, previous_given=True)

    encode = tf.function(frame_pair_function(encoder, "output"), autograph=False)
    file = convert(encode, frame_pair_specs(parts.config), [encoder], precision, frame_pairs)
    run = Interpreter(model_content=file).get_signature_runner()
    expected, found = [], []
    for pair in frame_pairs():
        expected.append(encode(**pair)["output"].numpy()[0])
        found.append(run(**pair)["output"][0])
    layers = [layer for layer in parts.projection.layers if isinstance(layer, Standardization)]
    streams = (np.split(np.stack(outputs), len(layers), axis=-1) for outputs in (expected, found))
    for layer, wanted, got in zip(layers, *streams, strict=True):
        slots = (wanted != 0).any(axis=-1)  # those without motion are zero in both
        if slots.any():
            layer.mean.assign_add((got - wanted)[slots].mean(axis=0))
