"""Clips that must not be split, grouped, and the groups dealt into folds of equal size and equal classes."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from vidmodel_tf.clips.clip import Label

ClassOfHead = tuple[str, str]

# A combination of labels in fewer sources cannot be in train, validation and test.
_MIN_SOURCES_OF_STRATUM = 3


class SplittableClip(Protocol):
    """What a clip must tell to be put into a split; clips of a manifest and of a prepared data set both do."""

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
    """Clips that must not be split, sorted by id, and every class that one of them shows."""

    name: str
    clips: tuple[SplittableClip, ...]
    classes: frozenset[ClassOfHead]

    @property
    def num_clips(self) -> int:
        return len(self.clips)


def group_by_source(clips: Iterable[SplittableClip]) -> list[Source]:
    """The sources of clips, sorted by name, whatever the order of the clips."""
    groups: dict[str, list[SplittableClip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: (clip.source, clip.id)):
        groups[clip.source].append(clip)
    return [
        Source(name, tuple(group), frozenset(pair for clip in group for pair in classes_of(clip)))
        for name, group in groups.items()
    ]


def classes_of(clip: SplittableClip) -> list[ClassOfHead]:
    """The (head, class) pairs that a clip is labelled with."""
    return [
        (head, name)
        for head, label in clip.labels.items()
        for name in ((label,) if isinstance(label, str) else label or ())
    ]


def stratified_folds(sources: Sequence[Source], num_folds: int, seed: int) -> list[list[Source]]:
    """Parts the sources into folds of about equal numbers of clips, of each class too.

    The method is scikit-learn's `StratifiedGroupKFold`. Clips are told apart by their combination of labels where
    that is frequent enough, else by their first label.

    Args:
        sources: At least `num_folds`, in an order that does not depend on the input's.
        num_folds: At least 2.
        seed: Of the order in which equal sources are dealt out.
    """
    strata = _strata(sources)
    folds = _deal(sources, strata, num_folds, seed)
    # Stratifying may prefer to leave a fold empty where the sources differ much; dealing by size alone does not.
    return folds if all(folds) else _deal(sources, [0] * len(strata), num_folds, seed)


def _deal(sources: Sequence[Source], strata: Sequence[int], num_folds: int, seed: int) -> list[list[Source]]:
    # Takes 0.5 s to import, and `import vidmodel_tf` is to be quick.
    from sklearn.model_selection import StratifiedGroupKFold

    # No class with as many clips as there are folds: scikit-learn refuses, and there is nothing to stratify by.
    if max(Counter(strata).values()) < num_folds:
        strata = [0] * len(strata)
    groups = [index for index, source in enumerate(sources) for _ in source.clips]
    splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed % 2**32)
    with warnings.catch_warnings():
        # That a class has fewer clips than folds; `assign_splits` names such classes itself.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = [sorted({groups[index] for index in test}) for _, test in splitter.split(groups, strata, groups)]
    return [[sources[index] for index in part] for part in parts]


def _strata(sources: Sequence[Source]) -> list[int]:
    """A number for each clip, source by source, equal where they are to be dealt out as one class."""
    sources_with: dict[object, set[str]] = defaultdict(set)
    for source in sources:
        for clip in source.clips:
            for key in (_combination(clip), *classes_of(clip)):
                sources_with[key].add(source.name)
    names = [_stratum(clip, sources_with) for source in sources for clip in source.clips]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return [numbers[name] for name in names]


def _combination(clip: SplittableClip) -> tuple[ClassOfHead, ...]:
    return tuple(sorted(classes_of(clip)))


def _stratum(clip: SplittableClip, sources_with: Mapping[object, set[str]]) -> tuple[ClassOfHead, ...]:
    combination = _combination(clip)
    if not combination or len(sources_with[combination]) >= _MIN_SOURCES_OF_STRATUM:
        return combination
    first_head = classes_of(clip)[0][0]
    # Of several classes of one head the rarest: the others are spread well enough by themselves.
    candidates = [pair for pair in combination if pair[0] == first_head]
    return (min(candidates, key=lambda pair: (len(sources_with[pair]), pair)),)
