"""What a model learns from: the targets of each clip, and the losses of its answers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from vidmodel_tf.labels import Labels
from vidmodel_tf.records.pipeline import targets
from vidmodel_tf.run_folder.distillation import DistilConfig
from vidmodel_tf.training.distilled_losses import SoftenedBinaryDivergence, SoftenedDivergence
from vidmodel_tf.training.losses import compile_arguments
from vidmodel_tf.training.teacher_scores import TeacherScores

Targets = tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]  # labels and weights


@dataclasses.dataclass(frozen=True)
class Objective:
    """The labels alone.

    Attributes:
        labels: The heads and their classes.
        class_weights: `{head: [K]}`, the weight of a training clip by its class; empty where all count the same.
        label_smoothing: As in the settings.
        head_weights: As in the settings.
    """

    labels: Labels
    class_weights: Mapping[str, Sequence[float]]
    label_smoothing: float
    head_weights: Mapping[str, float]

    def targets(self, example: Mapping[str, Any]) -> Targets:
        """The labels and weights of one parsed clip of any split; classes are not balanced."""
        return targets(example, self.labels)

    def training_targets(self, example: Mapping[str, Any]) -> Targets:
        """The labels and weights of one parsed training clip."""
        return targets(example, self.labels, self.class_weights)

    def model_to_fit(self, model: keras.Model) -> keras.Model:
        """The model with an output for each of the targets; it shares its layers with `model`."""
        return model

    def compile_arguments(self) -> dict[str, Any]:
        """Losses, their weights and metrics for `compile`."""
        return compile_arguments(self.labels, label_smoothing=self.label_smoothing, head_weights=self.head_weights)


@dataclasses.dataclass(frozen=True)
class DistilledObjective(Objective):
    """The scores of a teacher beside the labels.

    The loss of a head is alpha T^2 KL(teacher || student) + (1 - alpha) times the usual one. A clip that is not
    labelled for a head has weight 0 in the usual loss, but its teacher's scores count in full. For Keras the two losses
    are those of two outputs, which are the same scores.

    Attributes:
        teacher_scores: Of all clips that are trained or validated on.
        config: Temperature and alpha.
    """

    teacher_scores: TeacherScores
    config: DistilConfig

    def targets(self, example: Mapping[str, Any]) -> Targets:
        """See `Objective`."""
        return self._with_teacher(example, super().targets(example))

    def training_targets(self, example: Mapping[str, Any]) -> Targets:
        """See `Objective`."""
        return self._with_teacher(example, super().training_targets(example))

    def model_to_fit(self, model: keras.Model) -> keras.Model:
        """See `Objective`."""
        again = {
            _of_teacher(head): keras.layers.Identity(name=_of_teacher(head), dtype="float32")(model.output[head])
            for head in self.labels
        }
        return keras.Model(model.input, {**model.output, **again}, name=f"{model.name}_distilled")

    def compile_arguments(self) -> dict[str, Any]:
        """See `Objective`."""
        usual, alpha = super().compile_arguments(), self.config.alpha
        loss, weights = dict(usual["loss"]), {}
        for head in self.labels:
            is_multi_label = head in self.labels.multi_label
            divergence = SoftenedBinaryDivergence if is_multi_label else SoftenedDivergence
            loss[_of_teacher(head)] = divergence(self.config.temperature)
            weights[head] = (1 - alpha) * usual["loss_weights"][head]
            weights[_of_teacher(head)] = alpha * usual["loss_weights"][head]
        return {**usual, "loss": loss, "loss_weights": weights}

    def _with_teacher(self, example: Mapping[str, Any], of_labels: Targets) -> Targets:
        (values, weights), (rows, scores) = of_labels, self._tables
        row = rows.lookup(example["id"])
        for head in self.labels:
            values[_of_teacher(head)] = tf.gather(scores[head], row)
            weights[_of_teacher(head)] = tf.ones(())
        return values, weights

    @functools.cached_property
    def _tables(self) -> tuple[tf.lookup.StaticHashTable, dict[str, tf.Tensor]]:
        ids, by_head = self.teacher_scores.ids, self.teacher_scores.by_head
        # First asked for inside the pipeline's graphs, which must not own what they share; and they run on the CPU.
        with tf.init_scope(), tf.device("CPU"):
            rows = tf.lookup.KeyValueTensorInitializer(list(ids), list(range(len(ids))), tf.string, tf.int64)
            # A clip without scores fails: no row has the number -1.
            return tf.lookup.StaticHashTable(rows, -1), {head: tf.constant(values) for head, values in by_head.items()}


def _of_teacher(head: str) -> str:
    """The name of the output that is compared with the teacher; no head has a dot in its name."""
    return f"teacher.{head}"
