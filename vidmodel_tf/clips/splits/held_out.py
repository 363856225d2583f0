"""Chooses the sources of one held-out split, leaving enough sources of every class for the other splits."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vidmodel_tf.clips.splits.folds import stratified_folds
from vidmodel_tf.clips.splits.groups import ClassOfHead, Source
from vidmodel_tf.errors import InputError

# The cost of making folds grows with the square of their number.
_MAX_FOLDS = 50

# A pseudo-class that every source has, so that sources without labels are counted too.
_ANY_CLASS = ("", "")


def choose_held_out(
    pool: Sequence[Source],
    staying: Sequence[Source],
    *,
    fraction: float,
    num_later_splits: int,
    seed: int,
    purpose: str,
) -> list[Source]:
    """Chooses sources for one held-out split.

    Of every class, at least one source is left for each later split, if the class has that many. A class with enough
    sources for all splits is in the held-out split too, if one of its sources can be spared.

    Args:
        pool: The sources to choose from, in an order that does not depend on the order of the user's clips.
        staying: Sources that are already in the last of the later splits.
        fraction: The wanted share of the pool's clips, above 0 and below 1.
        num_later_splits: How many splits will be made of the rest.
        seed: Decides among sources that would do equally well.
        purpose: The split's name, for the error message.

    Raises:
        InputError: No source can be spared.
    """
    pool = random.Random(seed).sample(pool, len(pool))
    choice = _Choice(pool, staying, num_later_splits)
    for source in _nearest_folds(pool, fraction, seed):
        choice.take(source)
    choice.return_needed_sources()
    num_clips = choice.num_clips
    choice.take_missing_classes()
    choice.return_surplus(choice.num_clips - num_clips)
    if not choice.taken:
        num_clips = sum(source.num_clips for source in (*pool, *staying))
        raise InputError(
            f"expected sources of clips to spare for {purpose}, besides one of every class for training. "
            f"Received: {num_clips} clips from {len(pool) + len(staying)} sources to choose from; "
            "add clips from other sources, or ask for fewer splits"
        )
    return sorted(choice.taken, key=lambda source: source.name)


class _Choice:
    """The sources taken from a pool so far, and how many sources of each class are taken and left."""

    def __init__(self, pool: Sequence[Source], staying: Sequence[Source], num_later_splits: int) -> None:
        self.taken: dict[Source, None] = {}
        self.num_taken: Counter[ClassOfHead] = Counter()
        self.num_left = Counter(pair for source in (*pool, *staying) for pair in _classes_to_count(source))
        self.min_left = {pair: min(num_later_splits, max(total - 1, 1)) for pair, total in self.num_left.items()}
        self.in_all_splits = sorted(pair for pair, total in self.num_left.items() if total > num_later_splits)
        self.by_class: dict[ClassOfHead, list[Source]] = defaultdict(list)
        for source in pool:
            for pair in _classes_to_count(source):
                self.by_class[pair].append(source)

    @property
    def num_clips(self) -> int:
        return sum(source.num_clips for source in self.taken)

    def take(self, source: Source) -> None:
        self.taken[source] = None
        self.num_taken.update(_classes_to_count(source))
        self.num_left.subtract(_classes_to_count(source))

    def give_back(self, source: Source) -> None:
        del self.taken[source]
        self.num_taken.subtract(_classes_to_count(source))
        self.num_left.update(_classes_to_count(source))

    def take_smallest(self, candidates: Sequence[Source]) -> None:
        """Takes the smallest candidate that can be spared, if there is one."""
        spare = [
            source
            for source in candidates
            if source not in self.taken
            and all(self.num_left[pair] > self.min_left[pair] for pair in _classes_to_count(source))
        ]
        if spare:
            self.take(min(spare, key=lambda source: source.num_clips))

    def return_needed_sources(self) -> None:
        """Gives back what the later splits need, small sources first."""
        for source in sorted(self.taken, key=lambda source: source.num_clips):
            if any(self.num_left[pair] < self.min_left[pair] for pair in _classes_to_count(source)):
                self.give_back(source)

    def take_missing_classes(self) -> None:
        """Takes a source of every class that should be in all splits and is not taken yet."""
        for pair in self.in_all_splits:
            if not self.num_taken[pair]:
                self.take_smallest(self.by_class[pair])

    def return_surplus(self, num_clips: int) -> None:
        """Gives back at most `num_clips` clips, of the classes with the largest share taken, without losing a class."""
        for source in sorted(self.taken, key=self._least_share, reverse=True):
            if source.num_clips <= num_clips and all(self.num_taken[pair] > 1 for pair in _classes_to_count(source)):
                self.give_back(source)
                num_clips -= source.num_clips

    def _least_share(self, source: Source) -> float:
        return min(
            self.num_taken[pair] / (self.num_taken[pair] + self.num_left[pair]) for pair in _classes_to_count(source)
        )


def _classes_to_count(source: Source) -> list[ClassOfHead]:
    return [_ANY_CLASS, *source.class_counts]


def _nearest_folds(pool: Sequence[Source], fraction: float, seed: int) -> list[Source]:
    """The folds that together come nearest to the wanted number of clips of every class."""
    most = min(len(pool), _MAX_FOLDS)
    if most < 2:
        return []
    num_folds, num_chosen = _fold_numbers(fraction, most)
    folds = stratified_folds(pool, num_folds, seed)
    counts = [_count_clips(fold) for fold in folds]
    wanted = {pair: count * fraction / num_chosen for pair, count in _count_clips(pool).items()}
    chosen: list[Source] = []
    total: Counter[ClassOfHead] = Counter()
    for number in range(1, num_chosen + 1):
        distances = [_distance(total, count, wanted, number) for count in counts]
        nearest = distances.index(min(distances))
        chosen += folds.pop(nearest)
        total += counts.pop(nearest)
    return chosen


def _fold_numbers(fraction: float, most: int) -> tuple[int, int]:
    """The smallest number of folds, and how many of them together are near enough to the fraction.

    0.15: one of seven.
    """
    tolerance = min(0.01, fraction / 10)

    def error(num_folds: int) -> float:
        return abs(_nearest_count(fraction, num_folds) / num_folds - fraction)

    numbers = range(2, most + 1)
    num_folds = next((number for number in numbers if error(number) <= tolerance), min(numbers, key=error))
    return num_folds, _nearest_count(fraction, num_folds)


def _nearest_count(fraction: float, num_folds: int) -> int:
    return min(max(round(fraction * num_folds), 1), num_folds - 1)


def _count_clips(sources: Iterable[Source]) -> Counter[ClassOfHead]:
    """How many clips there are of each class, and (as `_ANY_CLASS`) of all."""
    counts: Counter[ClassOfHead] = Counter()
    for source in sources:
        counts[_ANY_CLASS] += source.num_clips
        counts.update(source.class_counts)
    return counts


def _distance(
    chosen: Mapping[ClassOfHead, int],
    fold: Mapping[ClassOfHead, int],
    wanted: Mapping[ClassOfHead, float],
    num_folds: int,
) -> float:
    """How far the chosen folds with one more are from what that many folds should hold."""
    return sum(abs(chosen.get(key, 0) + fold.get(key, 0) - num_folds * number) for key, number in wanted.items())
