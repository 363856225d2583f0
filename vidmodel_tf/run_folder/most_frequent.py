"""The class that clips have most often: events are looked for in the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vidmodel_tf.labels import Labels
from vidmodel_tf.records.stored_clip import StoredClip


def most_frequent_classes(clips: Sequence[StoredClip], labels: Labels) -> dict[str, str]:
    """The most frequent class of each head with one class a clip; the first by class id of equally frequent ones.

    Args:
        clips: Those of the training split.
        labels: Heads and class names.
    """
    result = {}
    for head, names in labels.items():
        if head not in labels.multi_label:
            counts = Counter(clip.labels[head] for clip in clips)
            result[head] = max(names, key=lambda name, counts=counts: counts[name])
    return result
