"""Timelines and the truth about their videos -> what the scores and events are worth."""

from __future__ import annotations

from collections.abc import Sequence

from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.scoring.timed_metrics import TimedMetrics, timed_metrics
from vidmodel_tf.scoring.truth import Truth
from vidmodel_tf.timelines.document import Document
from vidmodel_tf.timelines.match_truth import match_truth


def measure_timelines(documents: Sequence[Document], truth: Truth, policy: Policy) -> TimedMetrics:
    """Measures timelines against the truth.

    Args:
        documents: Of one model, each of another video.
        truth: As `read_truth` gives it. Only the classes that it names are measured.
        policy: Finds the events. Those that the documents hold are not used: they may be padded.

    Raises:
        InputError: The timelines and the truth do not fit each other; see `match_truth`.
    """
    matched = match_truth(documents, truth)
    return timed_metrics(matched.videos, list(truth.rows), policy, matched.warnings)
