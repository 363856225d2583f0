"""The splits of one fold of a cross-validation, in place of the stored ones."""

from __future__ import annotations

from collections.abc import Sequence

from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.errors import InputError
from vidmodel_tf.records.index import StoredClip

_SEED = 0  # all folds of a data set must come from one and the same partition


def fold_splits(clips: Sequence[StoredClip], fold: tuple[int, int] | None) -> dict[str, str] | None:
    """The split of each clip by its id when the k-th of n folds is held out as test split.

    Args:
        clips: All clips of a data set.
        fold: `(k, n)` with k from 1; None where the stored splits serve.
    """
    if fold is None:
        return None
    k, n = fold
    if not 1 <= k <= n or n < 2:
        raise InputError(f"fold: expected K/N with N of at least 2 and K from 1 to N. Received: {k}/{n}")
    return assign_folds(clips, num_folds=n, seed=_SEED)[k - 1]
