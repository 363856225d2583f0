"""Assigns clips to the splits train, validation and test, or to the folds of a cross-validation.

Clips of one source stay together, splits are stratified by class, and a seed decides the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vidmodel_tf.clips.splits.folds import stratified_folds
from vidmodel_tf.clips.splits.groups import Source, SplittableClip, group_by_source
from vidmodel_tf.clips.splits.held_out import choose_held_out
from vidmodel_tf.errors import InputError

SPLITS = ("train", "validation", "test")

# The validation split inside a fold takes at most 1/5 of the rest: with two or three folds, a part as large as a fold
# would leave too little to train on.
_MIN_PARTS_OF_REST = 5


def assign_splits(
    clips: Iterable[SplittableClip], *, validation_fraction: float, test_fraction: float, seed: int
) -> tuple[dict[str, str], list[str]]:
    """Assigns every clip to a split, all clips of a source to the same one. The order of the clips does not matter.

    If the manifest names a split for a clip, that split is kept, and the other clips of its source follow. The
    remaining sources are distributed over train and the splits that the manifest never names. If it names a split
    for every clip, or names test clips but no validation clips, validation is taken out of train.

    Args:
        clips: From a manifest or a prepared data set.
        validation_fraction: The share of the clips, 0 to 1; 0: no validation split.
        test_fraction: The share of the clips, 0 to 1; 0: no test split. The sum of both is below 1.
        seed: Equal seeds give equal splits.

    Returns:
        `{clip id: split}`, and a warning for every class that is missing in a split.

    Raises:
        InputError: The manifest names two splits for one source, or there are too few sources.
    """
    fractions = {"validation": validation_fraction, "test": test_fraction}
    if not (min(fractions.values()) >= 0 and sum(fractions.values()) < 1):
        raise InputError(
            "expected validation_fraction and test_fraction >= 0 with a sum below 1. "
            f"Received: {validation_fraction} and {test_fraction}"
        )
    sources = group_by_source(clips)
    split_of = _given_splits(sources)
    named = set(split_of.values())
    wanted = [split for split in ("test", "validation") if fractions[split] > 0 and split not in named]
    if len(split_of) == len(sources) and "test" in wanted:
        wanted.remove("test")  # no clip is free for it
    _refuse_too_few(sources, split_of, wanted)
    _assign_free(sources, split_of, wanted, fractions, seed)
    expected = [split for split in SPLITS if split in named or split == "train" or fractions[split] > 0]
    return _by_clip(sources, split_of), _warnings(sources, split_of, expected)


def assign_folds(clips: Iterable[SplittableClip], *, num_folds: int, seed: int) -> list[dict[str, str]]:
    """The splits of each fold of a cross-validation: every source is in the test split of one fold.

    Splits that the manifest names are ignored.

    Args:
        clips: From a manifest or a prepared data set, in any order.
        num_folds: At least 2, at most the number of sources.
        seed: Equal seeds give equal folds, and equal validation splits inside them.

    Returns:
        For each fold `{clip id: split}`. Test is the fold. Validation is 1 / `num_folds` of the rest, at most a fifth,
        grouped by source and stratified too.

    Raises:
        InputError: There are fewer sources than folds, or too few to take validation out of the rest.
    """
    sources = group_by_source(clips)
    if not 2 <= num_folds <= len(sources):
        raise InputError(
            f"expected 2 folds or more, and at most one for each of {len(sources)} sources of clips. "
            f"Received: {num_folds} folds"
        )
    folds = []
    for test in stratified_folds(sources, num_folds, seed):
        split_of = {source.name: "test" for source in test}
        rest = [source for source in sources if source.name not in split_of]
        fraction = 1 / max(num_folds, _MIN_PARTS_OF_REST)
        validation = choose_held_out(rest, [], fraction=fraction, num_later_splits=1, seed=seed, purpose="validation")
        split_of |= {source.name: "validation" for source in validation}
        folds.append(_by_clip(sources, {source.name: "train" for source in rest} | split_of))
    return folds


def _given_splits(sources: Sequence[Source]) -> dict[str, str]:
    split_of, faults = {}, []
    for source in sources:
        first_clips = {clip.split: clip.id for clip in reversed(source.clips) if clip.split}
        if len(first_clips) > 1:
            received = " and ".join(f"{split} ({clip})" for split, clip in sorted(first_clips.items()))
            faults.append(
                f"source {source.name!r}: expected one split. Received: {received}; put all its clips into one"
            )
        if first_clips:
            split_of[source.name] = next(iter(first_clips))
    if faults:
        more = f" ({len(faults) - 1} more such sources)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0]}{more}", faults[1:])
    return split_of


def _refuse_too_few(sources: Sequence[Source], split_of: Mapping[str, str], wanted: Sequence[str]) -> None:
    names = {"train", *wanted, *split_of.values()}
    if len(sources) < len(names):
        num_clips = sum(source.num_clips for source in sources)
        received = f"{num_clips} clips from {len(sources)} source{'s' * (len(sources) != 1)}"
        raise InputError(
            f"expected clips from at least {len(names)} sources, to make {', '.join(sorted(names, key=SPLITS.index))}. "
            f"Received: {received}; add clips from other sources, or ask for fewer splits"
        )


def _assign_free(
    sources: Sequence[Source],
    split_of: dict[str, str],
    wanted: Sequence[str],
    fractions: Mapping[str, float],
    seed: int,
) -> None:
    """Completes `split_of`: chooses test first, then validation from the rest; what is left is train."""
    free = [source for source in sources if source.name not in split_of]
    trained = [source for source in sources if split_of.get(source.name) == "train"]
    if "test" in wanted and free:
        later = 1 + ("validation" in wanted)
        test = choose_held_out(
            free, trained, fraction=fractions["test"], num_later_splits=later, seed=seed, purpose="test"
        )
        split_of |= {source.name: "test" for source in test}
        free = [source for source in free if source.name not in split_of]
    elif "validation" in wanted:
        free, trained = free + trained, []
    if "validation" in wanted:
        if not free:
            free, trained = trained, []
        fraction = fractions["validation"] / (1 - fractions["test"])
        validation = choose_held_out(
            free, trained, fraction=fraction, num_later_splits=1, seed=seed, purpose="validation"
        )
        split_of |= {source.name: "validation" for source in validation}
    for source in sources:
        split_of.setdefault(source.name, "train")


def _by_clip(sources: Iterable[Source], split_of: Mapping[str, str]) -> dict[str, str]:
    return {clip.id: split_of[source.name] for source in sources for clip in source.clips}


def _warnings(sources: Iterable[Source], split_of: Mapping[str, str], expected: Sequence[str]) -> list[str]:
    present = set(split_of.values())
    lines = [f"no clip is in {split}: name some in a column 'split'" for split in expected if split not in present]
    sources_in: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        for pair in source.class_counts:
            sources_in[pair].append(split_of[source.name])
    for (head, name), splits in sorted(sources_in.items()):
        missing = [split for split in expected if split in present and split not in splits]
        if missing:
            number = f"{len(splits)} source{'s' * (len(splits) != 1)}"
            few = f", too few for {', '.join(expected)}" if len(splits) < len(expected) else ""
            lines.append(
                f"head {head!r}: class {name!r} has {number}{few}: none in {' and '.join(missing)}; "
                "add clips of it from other sources, or merge it with another class"
            )
    return lines
