"""The optimizer that every stage trains with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from vidmodel_tf.backend.compiled import jit_of_training


def compile_model(
    model: keras.Model,
    learning_rate: float,
    weight_decay: float,
    losses: Mapping[str, Any],
    *,
    optimizer: type[keras.optimizers.AdamW] = keras.optimizers.AdamW,
) -> None:
    """Compiles a model with AdamW, gradients clipped to a norm of 1.

    Args:
        model: What is to be trained.
        learning_rate: Of the stage.
        weight_decay: As in the settings.
        losses: The other arguments of `compile`.
        optimizer: A kind of AdamW.
    """
    model.compile(
        optimizer(learning_rate, weight_decay=weight_decay, clipnorm=1.0, name="adam_w"),
        jit_compile=jit_of_training(),
        **losses,
    )
    # The weights files hold its state; it is part of the model that is saved, also where the stage had ended before.
    model.optimizer.build(model.trainable_variables)
