"""Timelines for tests of what is made of them, without a model."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.timelines.document import Document, ModelFacts, Shot, TimelineSettings, VideoFacts


def document_of(track, *, name="film.mp4", step_seconds=1.0, duration_seconds=None):
    """A video with a head "label" of the classes "fight", with these scores, and "calm"."""
    duration_seconds = len(track) * step_seconds if duration_seconds is None else duration_seconds
    fight = np.array(track, np.float64)
    scores = TimedScores.of(
        step_seconds,
        duration_seconds,
        {"label": ("fight", "calm")},
        {"label": np.stack([fight, 1 - fight], axis=1)},
    )
    return Document(
        VideoFacts(f"/films/{name}", "ab" * 32, duration_seconds, 100, 640, 480),
        ModelFacts("runs/fights", "0123456789abcdef"),
        TimelineSettings(2.0, 1.0, step_seconds, "shots"),
        scores,
        (Shot(0.0, duration_seconds),),
    )
