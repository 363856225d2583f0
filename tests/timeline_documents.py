"""Timelines as values, without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.timed_scores import TimedScores
from vidmodel_tf.timelines.document import Document, ModelFacts, Shot, TimelineSettings, VideoFacts


def make_event(number: int = 1, start: float = 1.0, end: float = 2.0, **fields) -> Event:
    """Event "eNUMBER" of [start, end), with its peak in the middle where `fields` do not say otherwise."""
    fields = {"rule": "fights", "head": "label", "label": "fight", "score": 0.9, **fields}
    return Event(
        **{"id": f"e{number}", "peak_seconds": (start + end) / 2, **fields}, start_seconds=start, end_seconds=end
    )


def make_document(
    path: object = "/films/a.mp4",
    events: Sequence[Event] = (),
    *,
    scores: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    step_seconds: float = 0.5,
    duration_seconds: float = 4.0,
    size: tuple[int, int] = (96, 72),
) -> Document:
    """A timeline of a video; `scores` are those of each step by head and label."""
    if scores is None:
        fight = np.linspace(0, 1, round(duration_seconds / step_seconds)).tolist()
        scores = {"label": {"fight": fight, "walk": [1 - score for score in fight]}}
    timed = TimedScores.of(
        step_seconds,
        duration_seconds,
        {head: list(tracks) for head, tracks in scores.items()},
        {head: np.stack([np.array(track) for track in tracks.values()], axis=1) for head, tracks in scores.items()},
    )
    return Document(
        video=VideoFacts(str(path), "0" * 64, duration_seconds, round(duration_seconds * 25), *size),
        model=ModelFacts("runs/a", "f" * 16),
        settings=TimelineSettings(2.0, step_seconds, step_seconds, "fixed"),
        scores=timed,
        shots=(Shot(0.0, duration_seconds),),
        events=tuple(events),
    )
