"""Groups clips by source: all clips of one source (a camera, a scene, an author) must be in the same split."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from vidmodel_tf.clips.clip import Label, class_names

ClassOfHead = tuple[str, str]
"""A head and the name of one of its classes."""


class SplittableClip(Protocol):
    """What splits are made from. Clips of a manifest and clips of a prepared data set both have it."""

    @property
    def id(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def labels(self) -> Mapping[str, Label]: ...

    @property
    def split(self) -> str | None: ...


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """The clips of one source.

    Attributes:
        name: The value that its clips have in common.
        clips: Sorted by id.
        classes_by_clip: For each clip the classes that it is labelled with.
        class_counts: How many of the clips are labelled with each class.
    """

    name: str
    clips: tuple[SplittableClip, ...]
    classes_by_clip: tuple[tuple[ClassOfHead, ...], ...]
    class_counts: Counter[ClassOfHead]

    @property
    def num_clips(self) -> int:
        return len(self.clips)


def group_by_source(clips: Iterable[SplittableClip]) -> list[Source]:
    """The sources of the clips, sorted by name; the order of the clips does not matter."""
    groups: dict[str, list[SplittableClip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: (clip.source, clip.id)):
        groups[clip.source].append(clip)
    return [_source(name, group) for name, group in groups.items()]


def _source(name: str, clips: list[SplittableClip]) -> Source:
    classes_by_clip = tuple(_classes_of(clip) for clip in clips)
    return Source(name, tuple(clips), classes_by_clip, Counter(pair for classes in classes_by_clip for pair in classes))


def _classes_of(clip: SplittableClip) -> tuple[ClassOfHead, ...]:
    return tuple((head, name) for head, label in clip.labels.items() for name in class_names(label))
