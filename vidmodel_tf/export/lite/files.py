"""Which TensorFlow Lite files are made of a model, and how each of them is made.

The whole model in up to four precisions, and the streaming pair for apps that see frame after frame: `frame_features`
encodes each frame once, beside the one before it, and `classify_features` answers for any window of T of them, however
the windows overlap.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.lite.bias import with_corrected_bias
from vidmodel_tf.export.lite.calibration import Calibration
from vidmodel_tf.export.lite.convert import LitePrecision, convert
from vidmodel_tf.export.lite.frame_pair import frame_pair_function, frame_pair_specs
from vidmodel_tf.export.lite.recurrent import with_lite_recurrent
from vidmodel_tf.export.parts import InferenceParts

MAX_UNROLLED_STEPS = 64  # each step of an LSTM or GRU becomes some fifteen ops; more would make a slow file


def file_makers(parts: InferenceParts, calibration: Calibration) -> dict[str, Callable[[], bytes]]:
    """How each file is made, by its name without ending. They may be made in any order.

    Args:
        parts: The model.
        calibration: Clips for int8 and for bias correction. Without any there are no int8 files.
    """

    @functools.cache
    def parts_for(precision: LitePrecision) -> InferenceParts:
        can_correct = parts.config.has_frames and calibration.questions
        if precision not in ("dynamic", "int8") or not can_correct:
            return parts
        return with_corrected_bias(parts, precision, calibration.frame_pairs)

    def whole(precision: LitePrecision) -> bytes:
        return convert_whole(parts_for(precision), precision, calibration)

    def frame_features(precision: LitePrecision) -> bytes:
        return convert_frame_features(parts_for(precision), precision, calibration)

    makers = {name: functools.partial(whole, name) for name in _whole_precisions(parts.config, calibration)}
    if parts.config.has_frames:
        for precision in ("float32", "int8") if calibration.questions else ("float32",):
            makers[f"frame_features_{precision}"] = functools.partial(frame_features, precision)
        makers["classify_features"] = functools.partial(convert_classify_features, parts)
    return makers


def _whole_precisions(config: ModelConfig, calibration: Calibration) -> tuple[LitePrecision, ...]:
    steps = [config.num_frames] if config.has_frames and config.temporal != "transformer" else []
    if config.has_text and config.text_pooling != "mean":
        steps.append(config.num_tokens)
    with_int8 = calibration.questions and max(steps, default=0) <= MAX_UNROLLED_STEPS
    return ("float32", "float16", "dynamic", "int8") if with_int8 else ("float32", "float16", "dynamic")


def convert_whole(parts: InferenceParts, precision: LitePrecision, calibration: Calibration) -> bytes:
    """`frames` uint8 [1, T, H, W, 3] and `token_ids` int32 [1, L] -> scores [1, K] by head."""
    config, encoder = parts.config, parts.frame_features() if parts.config.has_frames else None
    parts = with_lite_recurrent(parts, unroll=precision == "int8")

    def score(frames, token_ids):
        features = {"features": encoder(frames, training=False)} if encoder else {}
        return _classify(parts, token_ids, features)

    frames = tf.TensorSpec((1, config.num_frames, config.height, config.width, 3), tf.uint8, "frames")
    models = [parts.head] if encoder is None else [parts.head, encoder]
    return convert(score, [frames, _token_ids(config)], models, precision, calibration.clips)


def convert_frame_features(parts: InferenceParts, precision: LitePrecision, calibration: Calibration) -> bytes:
    """`frame` and `previous_frame` uint8 [1, H, W, 3] -> `features` [1, D]."""
    encoder = parts.frame_features(previous_given=True)
    encode = frame_pair_function(encoder, "features")
    return convert(encode, frame_pair_specs(parts.config), [encoder], precision, calibration.frame_pairs)


def convert_classify_features(parts: InferenceParts) -> bytes:
    """`features` [1, T, D] and `token_ids` int32 [1, L] -> scores [1, K] by head."""
    parts = with_lite_recurrent(parts, unroll=False)

    def score(features, token_ids):
        return _classify(parts, token_ids, {"features": features})

    features = tf.TensorSpec((1, parts.config.num_frames, parts.num_features), tf.float32, "features")
    return convert(score, [features, _token_ids(parts.config)], [parts.head], "float32")


def _classify(parts: InferenceParts, token_ids: tf.Tensor, features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    for layer in parts.head.layers:
        if isinstance(layer, keras.layers.Embedding):
            # An id out of range would make the interpreter fail in the middle of the model.
            token_ids = tf.clip_by_value(token_ids, 0, layer.input_dim - 1)
    return parts.head({**features, "token_ids": token_ids}, training=False)


def _token_ids(config: ModelConfig) -> tf.TensorSpec:
    return tf.TensorSpec((1, config.num_tokens), tf.int32, "token_ids")
