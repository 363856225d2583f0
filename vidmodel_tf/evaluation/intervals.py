"""95 % intervals of an accuracy: of independent clips (Wilson), and of clips grouped by source (bootstrap)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.evaluation.results import Interval, UnknownInterval

NUM_RESAMPLES = 10_000
_SEED = 0


def wilson_interval(num_correct: int, num_clips: int) -> Interval | None:
    """The score interval of an accuracy (Wilson 1927); None where there are no clips.

    Example:
        >>> [round(end, 3) for end in wilson_interval(8, 10)]
        [0.49, 0.943]
    """
    from scipy.stats import binomtest

    if not num_clips:
        return None
    interval = binomtest(num_correct, num_clips).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap_interval(sources: Sequence[str], values: np.ndarray | Sequence[float]) -> Interval | UnknownInterval:
    """The percentile interval of a mean when whole sources are resampled.

    Clips of one source are alike, so they do not count as independent ones (Field and Welsh, "Bootstrapping
    clustered data", 2007). The interval says how the mean varies with the clips, not with the training.

    Args:
        sources: The source of each of n values.
        values: [n].

    Returns:
        (None, None) where there is one source only: nothing tells how others would differ from it.
    """
    names, group = np.unique(np.asarray(sources, object).astype(str), return_inverse=True)
    if len(names) < 2:
        return None, None
    sums = np.bincount(group, weights=np.asarray(values, float), minlength=len(names))
    counts = np.bincount(group, minlength=len(names))
    draws = np.random.default_rng(_SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), NUM_RESAMPLES)
    low, high = np.percentile((draws @ sums) / (draws @ counts), [2.5, 97.5])
    return float(low), float(high)
