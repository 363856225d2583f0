"""Videos with scores and truth, for tests of what is measured on them."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.scoring.labelled_video import LabelledVideo
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.scoring.truth import HeadLabel

FIGHT = HeadLabel("label", "fight")


def timed_scores(track, step_seconds=1.0, duration_seconds=None):
    """Scores of a head of two classes, "calm" and "fight", from those of "fight"."""
    fight = np.asarray(track, float)
    duration = len(fight) * step_seconds if duration_seconds is None else duration_seconds
    return TimedScores.of(
        step_seconds, duration, {"label": ("calm", "fight")}, {"label": np.stack([1 - fight, fight], axis=1)}
    )


def labelled_video(track, ranges=(), name="a.mp4", **scores):
    """A video with the scores of "fight" and the times at which it happened."""
    return LabelledVideo(name, timed_scores(track, **scores), {FIGHT: tuple(ranges)} if ranges else {})


def perfect_track(num_steps, ranges):
    """Scores by steps of a second: 0.9 in the ranges, which have whole seconds, and 0.1 outside."""
    inside = [any(start <= step < end for start, end in ranges) for step in range(num_steps)]
    return np.where(inside, 0.9, 0.1)
