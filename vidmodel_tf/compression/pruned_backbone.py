"""The backbone of a trained run with fewer channels, as a file that a student begins with."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import keras
import numpy as np
from keras import layers

from vidmodel_tf.compression.prune import prune_channels
from vidmodel_tf.compression.training_images import training_images
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.folder_lock import locked
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.model.backbones import find_backbone, scaling_layer
from vidmodel_tf.model.flat_graph import flat_graph
from vidmodel_tf.model.keras_file import read_keras_config
from vidmodel_tf.model.own_backbone import is_own_backbone
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.distillation import PruneConfig
from vidmodel_tf.run_folder.resume import check_folder
from vidmodel_tf.storage import atomic_write

_NUM_IMAGES = 640


def check_can_be_pruned(student: ModelConfig, teacher: ModelConfig, prune: PruneConfig) -> None:
    """Refuses settings of a student whose backbone cannot be the teacher's, pruned.

    Raises:
        InputError: Names the settings.
    """
    if not (student.has_frames and teacher.has_frames):
        raise InputError(
            "prune.share: expected 0 where a model reads words alone (model.branches=text) and has no backbone. "
            f"Received: {prune.share}"
        )
    for name in ("backbone", "weights", "height", "width"):
        wanted, given = getattr(teacher, name), getattr(student, name)
        if wanted != given:
            raise InputError(
                f"model.{name}: expected the teacher's with prune.share, for its backbone is pruned ({wanted}). "
                f"Received: {given}"
            )


def with_pruned_backbone(
    out: Path, teacher: TrainedRun, data: DataSet, config: ModelConfig, train_config: TrainConfig, prune: PruneConfig
) -> tuple[ModelConfig, TrainConfig]:
    """The settings of a student that begins with the teacher's backbone, pruned.

    The backbone is written into the student's run folder, once: a call that goes on finds it there.

    Args:
        out: The run folder of the student.
        teacher: Whose backbone it is.
        data: A data set, in the splits that the student is trained with.
        config: Settings of the student, with the teacher's backbone.
        train_config: Settings of its training; fine-tuning begins at the layer where the teacher's would.
        prune: How much is removed.

    Raises:
        InputError: `out` holds something else, or a run without the backbone that it was begun with; or nothing of
            the backbone can be removed.
    """
    path = out / layout.PRUNED_BACKBONE
    check_folder(out)
    with locked(out):
        # A run that was begun has its file, whatever it was begun with: `train` compares the settings.
        if not layout.is_run_folder(out):
            _write_unless_there(path, teacher, data, config, prune)
        elif not path.exists():
            raise InputError(
                f"{path}: expected the pruned backbone that the run was begun with. Received: none; "
                "put it back, or give another --out"
            )
    if train_config.fine_tune_epochs and not train_config.fine_tune_from and not is_own_backbone(config.backbone):
        train_config = dataclasses.replace(train_config, fine_tune_from=find_backbone(config.backbone).last_block)
    return dataclasses.replace(config, backbone=str(path), weights="imagenet"), train_config


def _write_unless_there(
    path: Path, teacher: TrainedRun, data: DataSet, config: ModelConfig, prune: PruneConfig
) -> None:
    name = _name_of(teacher, data, config, prune)
    if path.exists() and read_keras_config(path)["config"]["name"] == name:
        return
    pruned = _prune(teacher, data, config, prune, name)
    with atomic_write(path) as beside:
        pruned.save(beside)


def _prune(teacher: TrainedRun, data: DataSet, config: ModelConfig, prune: PruneConfig, name: str) -> keras.Model:
    backbone = flat_graph(backbone_of(teacher.model)).model
    scale = scaling_layer(config.backbone)
    images = training_images(data, config, _NUM_IMAGES)
    pruned = prune_channels(backbone, np.asarray(scale(images)), prune.share)
    if is_own_backbone(config.backbone):
        return keras.Model(pruned.inputs, pruned.outputs, name=name)
    pixels = layers.Input(backbone.input_shape[1:], name="pixels")  # a backbone in a file contains its scaling
    return flat_graph(keras.Model(pixels, pruned(scale(pixels)), name=name)).model


def _name_of(teacher: TrainedRun, data: DataSet, config: ModelConfig, prune: PruneConfig) -> str:
    """A name that says what a pruned backbone was made from."""
    made_from = (fingerprint(teacher.run.path), data.fingerprint, repr(config), prune.share)
    return f"pruned_{hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]}"
