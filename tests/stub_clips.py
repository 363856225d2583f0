"""Clips that have only what splits are made from."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

from vidmodel_tf.clips.clip import Label


@dataclasses.dataclass(frozen=True)
class StubClip:
    """Only what splits are made from, as a clip read back from a prepared data set has it."""

    id: str
    source: str
    labels: dict[str, Label]
    split: str | None = None

    @property
    def footage(self) -> str:
        return self.id


def make_clips(classes: Iterable[Label], clips_a_source: int = 1) -> list[StubClip]:
    """One source for each of `classes`."""
    return [
        StubClip(f"clip{number:04}-{index}", f"source{number:04}", {"label": name})
        for number, name in enumerate(classes)
        for index in range(clips_a_source)
    ]


def draw_clips(num_clips: int, num_sources: int, num_classes: int) -> list[StubClip]:
    """Clips of sources of different sizes, with rare classes, a second head of several labels and missing labels."""
    rng = random.Random(7)
    clips = []
    for number in range(num_clips):
        label = "abcdefghijkl"[int(num_classes * rng.random() ** 2)]
        things = tuple(name for name in "xyz" if rng.random() < 0.3)
        source = f"s{int(num_sources * rng.random() ** 1.5)}"
        labels = {"label": label if rng.random() < 0.9 else None, "things": things if rng.random() < 0.8 else None}
        clips.append(StubClip(f"c{number}", source, labels))
    return clips
