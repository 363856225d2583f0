"""The model of a run as two TensorFlow functions with its weights as constants, ready to be exported.

frames ──encode──> features ──┐
token_ids ────────────────classify──> scores by head
"""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from vidmodel_tf.export.fold_batch_norm import fold_batch_norm
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.run_folder import Run


class InferenceGraph:
    """What follows from frames and token ids, in float32, without variables.

    Args:
        run: The run.
        fold: Fold BatchNorm into convolutions. Only to be left out to see what folding does.

    Attributes:
        num_features: D, of `encode`; None for a model of words alone.
    """

    def __init__(self, run: Run, *, fold: bool = True) -> None:
        # float32 whatever it was trained in: a server's processor may be slow at anything else, or unable.
        run = dataclasses.replace(run, model=dataclasses.replace(run.model, precision="float32"))
        model = run.load_model()
        _use_no_cudnn(model.get_layer("head"))
        config, self.num_features, self._encode = run.model, None, None
        if config.has_frames:
            backbone = backbone_of(model)
            encoder = build_frame_encoder(config, fold_batch_norm(backbone) if fold else backbone)
            projection = model.get_layer("projection")
            frames = tf.TensorSpec((None, None, config.height, config.width, 3), tf.uint8, "frames")
            self._encode = _freeze(lambda frames: projection(encoder(frames, training=False), training=False), frames)
            self.num_features = projection.output_shape[-1]
        head, self._heads = model.get_layer("head"), sorted(run.labels)
        inputs = [tf.TensorSpec((None, config.num_tokens), tf.int32, "token_ids")]
        if config.has_frames:
            inputs.append(tf.TensorSpec((None, config.num_frames, self.num_features), tf.float32, "features"))
        names = [spec.name for spec in inputs]
        self._classify = _freeze(lambda *parts: head(dict(zip(names, parts, strict=True)), training=False), *inputs)

    def encode(self, frames: tf.Tensor) -> tf.Tensor:
        """uint8 [B, T', H, W, 3] -> features float32 [B, T', D]."""
        (features,) = self._encode(frames)
        return features

    def classify(self, features: tf.Tensor | None, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """Features [B, T, D] (None for a model of words alone) and int32 [B, L] -> {head: float32 [B, K]}."""
        parts = [token_ids] if features is None else [token_ids, features]
        return dict(zip(self._heads, self._classify(*parts), strict=True))


def _freeze(function, *inputs: tf.TensorSpec):
    concrete = tf.function(function, autograph=False).get_concrete_function(*inputs)
    # Loops stay loops: TensorFlow's older control flow, which is the default here, runs slower and converts worse.
    return convert_variables_to_constants_v2(concrete, lower_control_flow=False)


def _use_no_cudnn(head: keras.Model) -> None:
    """An LSTM traced where a GPU is visible would bring an op along that only a GPU has."""
    for layer in head.layers:
        wrapped = isinstance(layer, keras.layers.Bidirectional)
        for lstm in (layer.forward_layer, layer.backward_layer) if wrapped else (layer,):
            if isinstance(lstm, keras.layers.LSTM):
                lstm.use_cudnn = False
