"""The stages that a model is trained in, as data.

- "scratch": everything, on pixels (`weights="none"`) or on words alone.
- "frozen": all but a pretrained backbone, on its cached outputs.
- "fine_tune": the upper part of the backbone too, on the cached activations below it.

With `TrainConfig.refit` the same stages follow once more ("frozen_refit", ...), from the initial weights, on the
training and validation clips together, each for as many epochs as were best.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.run_folder.run import RunConfig

Inputs = Literal["pixels", "words", "encodings", "activations"]

_REFIT = "_refit"


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: How history, logs and checkpoints call it.
        inputs: The inputs beside the words: "pixels"; "encodings", the cached backbone outputs; "activations" at the
            cut through the backbone, cached too; "words" if there are no others.
        num_epochs: At most. A refit gets its number when the stage that it repeats has ended.
        learning_rate: Of its optimizer.
        repeats: The stage that a refit repeats; "" for all others.
    """

    name: str
    inputs: Inputs
    num_epochs: int
    learning_rate: float
    repeats: str = ""

    @property
    def is_on_cnn(self) -> bool:
        """Whether a frozen CNN encodes the clips beforehand."""
        return self.inputs in ("encodings", "activations")

    @property
    def is_refit(self) -> bool:
        """Whether it repeats another stage, with the validation clips among the training clips."""
        return bool(self.repeats)


def plan_stages(config: RunConfig, *, refit: bool) -> tuple[Stage, ...]:
    """The stages of a run, in order.

    Args:
        config: Its settings.
        refit: Whether to train again with the validation clips.
    """
    stages = _first_pass(config.model, config.train)
    if refit:
        stages += tuple(dataclasses.replace(stage, name=stage.name + _REFIT, repeats=stage.name) for stage in stages)
    return stages


def _first_pass(model: ModelConfig, train: TrainConfig) -> tuple[Stage, ...]:
    if not model.has_frames:
        return (Stage("scratch", "words", train.epochs, train.learning_rate),)
    if model.weights == "none":
        return (Stage("scratch", "pixels", train.epochs, train.learning_rate),)
    frozen = Stage("frozen", "encodings", train.epochs, train.learning_rate)
    if not train.fine_tune_epochs:
        return (frozen,)
    return frozen, Stage("fine_tune", "activations", train.fine_tune_epochs, train.fine_tune_learning_rate)


def is_refit(stage_name: str) -> bool:
    """Whether a stage of that name is a refit: for readers of a history, who have no more than names."""
    return stage_name.endswith(_REFIT)
