"""The best of many rules by their counts, on all videos or on those that others were not chosen on."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.scoring.event_counts import f1, false_alarms_per_hour, miss_rate

MOST_FOLDS = 5
NUM_REPEATS = 20
_SEED = 0


def choose_rule(counts_Rx6: np.ndarray, most_false_alarms_per_hour: float | None) -> int:
    """The index of the best rule; of equal ones the first.

    Args:
        counts_Rx6: Of each of R rules, summed over the videos.
        most_false_alarms_per_hour: None: the best rule has the highest F1 at tIoU 0.5. Else it has the lowest miss
            rate among those with no more false alarms than this, and of equal ones the highest F1; where every rule
            has more, the fewest false alarms.
    """
    minus_f1 = -np.nan_to_num(f1(counts_Rx6), nan=0.0)
    if most_false_alarms_per_hour is None:
        return int(minus_f1.argmin())
    excess = np.maximum(false_alarms_per_hour(counts_Rx6) - most_false_alarms_per_hour, 0.0)
    missed = np.nan_to_num(miss_rate(counts_Rx6), nan=0.0)
    return int(np.lexsort((minus_f1, missed, excess))[0])  # the last key counts most


def held_out_counts(counts_RxVx6: np.ndarray, most_false_alarms_per_hour: float | None) -> np.ndarray:
    """The counts of each of V videos by rules that were chosen without it, [V, 6].

    The videos are dealt into folds at random; the rule for a fold is chosen on the other folds. The counts are the
    mean over several deals. Videos are never divided.
    """
    num_videos = counts_RxVx6.shape[1]
    random = np.random.default_rng(_SEED)
    sums_Vx6 = np.zeros(counts_RxVx6.shape[1:])
    total_Rx6 = counts_RxVx6.sum(axis=1)
    for _ in range(NUM_REPEATS):
        for fold in np.array_split(random.permutation(num_videos), min(MOST_FOLDS, num_videos)):
            others_Rx6 = total_Rx6 - counts_RxVx6[:, fold].sum(axis=1)
            sums_Vx6[fold] += counts_RxVx6[choose_rule(others_Rx6, most_false_alarms_per_hour), fold]
    return sums_Vx6 / NUM_REPEATS
