"""`backbone.json` of a run folder: the backbone that the user brought, as far as the settings do not say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import Run
from vidmodel_tf.storage import read_json, write_json

if TYPE_CHECKING:
    import keras


def write_own_backbone(run: Run, model: keras.Model) -> None:
    """Writes `backbone.json`, where the backbone is not one that this package builds by its name.

    Args:
        run: The run.
        model: Its model.
    """
    from vidmodel_tf.model.image_encoder import serialize_encoder
    from vidmodel_tf.model.own_backbone import is_own_backbone
    from vidmodel_tf.model.trainable import backbone_of

    if run.config.model.has_frames and is_own_backbone(run.config.model.backbone):
        write_json(run.path / layout.BACKBONE, serialize_encoder(backbone_of(model)))


def read_own_backbone(path: Path, config: ModelConfig) -> keras.Model | None:
    """Rebuilds the backbone that the user brought, with random weights; None where the run has none.

    Args:
        path: The run folder.
        config: The run's settings, in the precision that is wanted.

    Raises:
        InputError: The file is missing or damaged, or is not what it was when the run was made.
    """
    from vidmodel_tf.model.image_encoder import rebuild_encoder
    from vidmodel_tf.model.own_backbone import is_own_backbone

    if not config.has_frames or not is_own_backbone(config.backbone):
        return None
    file = path / layout.BACKBONE
    return rebuild_encoder(read_json(file), config.height, config.width, precision=config.precision, subject=str(file))
