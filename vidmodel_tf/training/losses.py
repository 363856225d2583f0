"""Losses and metrics of each head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from vidmodel_tf.labels import Labels

if TYPE_CHECKING:
    from vidmodel_tf.records.stored_clip import StoredClip


@keras.saving.register_keras_serializable(package="vidmodel_tf")
class SmoothedSparseCategoricalCrossentropy(keras.losses.Loss):
    """Cross-entropy of integer class ids with label smoothing, which Keras offers for one-hot targets only.

    The target is 1 - `label_smoothing` on the true class, the rest spread evenly over all K classes
    (Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, section 7).
    """

    def __init__(self, label_smoothing: float, name: str = "smoothed_crossentropy", **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, class_ids_B, scores_BxK):
        targets = keras.ops.one_hot(keras.ops.reshape(class_ids_B, (-1,)), scores_BxK.shape[-1])
        return keras.losses.categorical_crossentropy(targets, scores_BxK, label_smoothing=self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def compile_arguments(
    labels: Mapping[str, Sequence[str]],
    *,
    label_smoothing: float = 0.0,
    head_weights: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Losses, their weights and metrics for `model.compile("adam", **compile_arguments(labels))`.

    Only weighted metrics: a plain metric would also count clips without a label for the head.

    Args:
        labels: The heads and their classes; heads in `labels.multi_label` get binary cross-entropy.
        label_smoothing: Of single-label heads, 0 to 1.
        head_weights: Weight of a head's loss; a head not named has 1.
    """
    labels, losses, metrics = Labels(labels), {}, {}
    for head in labels:
        if head in labels.multi_label:
            losses[head] = keras.losses.BinaryCrossentropy()
            metrics[head] = [keras.metrics.BinaryAccuracy(name="accuracy")]
        else:
            losses[head] = SmoothedSparseCategoricalCrossentropy(label_smoothing)
            metrics[head] = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    return {
        "loss": losses,
        "loss_weights": {head: float((head_weights or {}).get(head, 1.0)) for head in labels},
        "weighted_metrics": metrics,
    }


def balanced_class_weights(clips: Sequence[StoredClip], labels: Labels) -> dict[str, list[float]]:
    """Weights that make all classes of a single-label head count the same: n / (K * n_c) over its labelled clips.

    Returns:
        `{head: [K]}`; 0 for a class without clips, and K counts only classes with clips.
    """
    weights = {}
    for head, names in labels.items():
        if head not in labels.multi_label:
            counts = Counter(clip.labels[head] for clip in clips if clip.labels[head] is not None)
            present = sum(counts[name] > 0 for name in names)
            total = sum(counts.values())
            weights[head] = [total / (present * counts[name]) if counts[name] else 0.0 for name in names]
    return weights
