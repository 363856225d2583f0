"""What of a model trains in which stage."""

from __future__ import annotations

import keras


def backbone_of(model: keras.Model) -> keras.Model:
    """The CNN inside a model of `build_model`."""
    return model.get_layer("frame_encoder").get_layer("backbone").layer


def set_trainable(backbone: keras.Model, part: keras.Model | None) -> None:
    """Lets only a part of a backbone train; to be called before `compile`.

    Args:
        backbone: From `backbone_of`.
        part: The backbone itself, its upper part (`cut.split_backbone`), or None: nothing of it trains.
    """
    trained = {layer.name for layer in part.layers} if part is not None else set()
    # Layer by layer: a model that is trainable already does not pass `trainable = True` on.
    backbone.trainable = True
    for layer in backbone.layers:
        layer.trainable = layer.name in trained
