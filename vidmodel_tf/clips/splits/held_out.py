"""A share of the sources set apart for one split, so that what is left can still serve the other splits."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vidmodel_tf.clips.splits.groups import ClassOfHead, Source, classes_of, stratified_folds
from vidmodel_tf.errors import InputError

# The cost of folds grows with the square of their number.
_MAX_FOLDS = 50

# Every source counts as one of this class too, so that a split of sources without any class is not left empty.
_ANY_CLASS = ("", "")


def set_apart(
    pool: Sequence[Source],
    staying: Sequence[Source],
    *,
    fraction: float,
    num_later_splits: int,
    seed: int,
    purpose: str,
) -> list[Source]:
    """Chooses sources for one split, so that what is left can still serve the others.

    Of every class at least one source is left for each later split, if it has so many. A class in enough sources for
    all splits is among the chosen, if a source of it can be spared.

    Args:
        pool: What to choose from, in an order that does not depend on the input's.
        staying: Sources that are in the last of the later splits already.
        fraction: Of the pool's clips, above 0 and below 1.
        num_later_splits: How many splits are to be made of the rest.
        seed: Of the choice among equals.
        purpose: The split's name, for the message.

    Raises:
        InputError: No source can be spared.
    """
    pool = random.Random(seed).sample(pool, len(pool))
    share = _Share(pool, staying, num_later_splits)
    for source in _nearest_folds(pool, fraction, seed):
        share.take(source)
    share.return_what_is_needed()
    num_clips = share.num_clips
    share.take_missing_classes()
    share.return_surplus(share.num_clips - num_clips)
    if not share.taken:
        num_clips = sum(source.num_clips for source in (*pool, *staying))
        raise InputError(
            f"expected sources of clips to spare for {purpose}, besides one of every class for training. "
            f"Received: {num_clips} clips from {len(pool) + len(staying)} sources to choose from; "
            "add clips from other sources, or ask for fewer splits"
        )
    return sorted(share.taken, key=lambda source: source.name)


class _Share:
    """Sources taken from a pool, and how many sources of each class are taken and left."""

    def __init__(self, pool: Sequence[Source], staying: Sequence[Source], num_later_splits: int) -> None:
        self.taken: dict[Source, None] = {}
        self.num_taken: Counter[ClassOfHead] = Counter()
        self.num_left = Counter(pair for source in (*pool, *staying) for pair in _marks(source))
        self.keep = {pair: min(num_later_splits, max(total - 1, 1)) for pair, total in self.num_left.items()}
        self.in_all_splits = sorted(pair for pair, total in self.num_left.items() if total > num_later_splits)
        self.by_class: dict[ClassOfHead, list[Source]] = defaultdict(list)
        for source in pool:
            for pair in _marks(source):
                self.by_class[pair].append(source)

    @property
    def num_clips(self) -> int:
        return sum(source.num_clips for source in self.taken)

    def take(self, source: Source) -> None:
        self.taken[source] = None
        self.num_taken.update(_marks(source))
        self.num_left.subtract(_marks(source))

    def give_back(self, source: Source) -> None:
        del self.taken[source]
        self.num_taken.subtract(_marks(source))
        self.num_left.update(_marks(source))

    def take_smallest(self, candidates: Sequence[Source]) -> None:
        """Takes the smallest candidate that can be spared, if there is one."""
        spare = [
            source
            for source in candidates
            if source not in self.taken and all(self.num_left[pair] > self.keep[pair] for pair in _marks(source))
        ]
        if spare:
            self.take(min(spare, key=lambda source: source.num_clips))

    def return_what_is_needed(self) -> None:
        for source in sorted(self.taken, key=lambda source: source.num_clips):
            if any(self.num_left[pair] < self.keep[pair] for pair in _marks(source)):
                self.give_back(source)

    def take_missing_classes(self) -> None:
        for pair in self.in_all_splits:
            if not self.num_taken[pair]:
                self.take_smallest(self.by_class[pair])

    def return_surplus(self, num_clips: int) -> None:
        """Gives back up to so many clips, of the classes that are taken most of, without losing a class."""
        for source in sorted(self.taken, key=self._least_share, reverse=True):
            if source.num_clips <= num_clips and all(self.num_taken[pair] > 1 for pair in _marks(source)):
                self.give_back(source)
                num_clips -= source.num_clips

    def _least_share(self, source: Source) -> float:
        shares = (self.num_taken[pair] / (self.num_taken[pair] + self.num_left[pair]) for pair in _marks(source))
        return min(shares)


def _marks(source: Source) -> list[ClassOfHead]:
    return [_ANY_CLASS, *source.classes]


def _nearest_folds(pool: Sequence[Source], fraction: float, seed: int) -> list[Source]:
    """The folds that together come nearest to the fraction, in clips of every class."""
    most = min(len(pool), _MAX_FOLDS)
    if most < 2:
        return []
    num_folds, num_chosen = _fold_numbers(fraction, most)
    folds = stratified_folds(pool, num_folds, seed)
    wanted = {pair: count * fraction / num_chosen for pair, count in _count(pool).items()}
    chosen: list[Source] = []
    for number in range(1, num_chosen + 1):
        nearest = min(folds, key=lambda fold: _distance(_count([*chosen, *fold]), wanted, number))
        folds.remove(nearest)
        chosen += nearest
    return chosen


def _fold_numbers(fraction: float, most: int) -> tuple[int, int]:
    """The smallest number of folds, and how many of them make the fraction well enough (0.15: one of seven)."""
    tolerance = min(0.01, fraction / 10)

    def error(num_folds: int) -> float:
        return abs(_nearest_count(fraction, num_folds) / num_folds - fraction)

    numbers = range(2, most + 1)
    num_folds = next((number for number in numbers if error(number) <= tolerance), min(numbers, key=error))
    return num_folds, _nearest_count(fraction, num_folds)


def _nearest_count(fraction: float, num_folds: int) -> int:
    return min(max(round(fraction * num_folds), 1), num_folds - 1)


def _count(sources: Iterable[Source]) -> Counter[object]:
    """Clips of each class, and (under None) of all."""
    counts: Counter[object] = Counter()
    for source in sources:
        counts[None] += source.num_clips
        for clip in source.clips:
            counts.update(classes_of(clip))
    return counts


def _distance(counts: Mapping[object, int], wanted: Mapping[object, float], factor: int) -> float:
    return sum(abs(counts.get(key, 0) - factor * number) for key, number in wanted.items())
