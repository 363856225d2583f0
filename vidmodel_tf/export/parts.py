"""The parts of a trained model as exports trace them: in float32, BatchNorm folded, without cuDNN."""

from __future__ import annotations

import dataclasses
from typing import cast

import keras

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.export.fold_batch_norm import fold_batch_norm
from vidmodel_tf.export.replace_recurrent import MakeRecurrent, replace_recurrent
from vidmodel_tf.model.build import build_frame_encoder
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.recurrent.steps import Recurrent


@dataclasses.dataclass(frozen=True)
class InferenceParts:
    """A trained model, taken apart; a model of words alone has only the head.

    A value: nobody changes the models in it. What a format needs changed, it changes in a copy (`with_recurrent`,
    `lite.bias.with_corrected_bias`).

    Attributes:
        config: Its settings.
        backbone: Scaled images to [B, F], BatchNorm folded.
        projection: Backbone outputs to features.
        head: Features and token ids to scores by head.
    """

    config: ModelConfig
    backbone: keras.Model | None
    projection: keras.Model | None
    head: keras.Model

    @property
    def num_features(self) -> int:
        """D, the number of features of a frame; 0 for a model of words alone."""
        return self.projection.output_shape[-1] if self.projection is not None else 0

    def frame_features(self, *, previous_given: bool = False) -> keras.Model:
        """Frames uint8 [B, T', H, W, 3] -> features [B, T', D], see `model.build.build_frame_encoder`."""
        encoder = build_frame_encoder(self.config, self.backbone, previous_given=previous_given)
        return keras.Model(encoder.input, cast(keras.Model, self.projection)(encoder.output), name="frame_features")

    def with_recurrent(self, make: MakeRecurrent) -> InferenceParts:
        """The same parts with other LSTMs and GRUs in a copy of the head, see `replace_recurrent`."""
        return dataclasses.replace(self, head=replace_recurrent(self.head, make))


def take_apart(model: keras.Model, config: ModelConfig, *, fold: bool = True) -> InferenceParts:
    """Takes a float32 model of `build_model` apart, and leaves it as it is.

    Args:
        model: The model.
        config: Its settings.
        fold: Fold BatchNorm into convolutions. Only to be left out to see what folding does.
    """
    head = replace_recurrent(model.get_layer("head"), _without_cudnn)
    if not config.has_frames:
        return InferenceParts(config, None, None, head)
    backbone = backbone_of(model)
    return InferenceParts(config, fold_batch_norm(backbone) if fold else backbone, model.get_layer("projection"), head)


def _without_cudnn(layer: Recurrent, skips_slots: bool) -> Recurrent:
    """Traced where a GPU is visible, the default layer would bring an op along that only a GPU has."""
    return type(layer)(**layer.get_config(), use_cudnn=False)
