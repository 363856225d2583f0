"""Two sets of counts of the same videos, compared: figures, and the interval of their difference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vidmodel_tf.scoring.calibration import Figure, RuleComparison, RuleFigures
from vidmodel_tf.scoring.event_counts import f1, false_alarms_per_hour, miss_rate

NUM_RESAMPLES = 10_000
_SEED = 0


def compare_rules(
    default_Vx6: np.ndarray, chosen_Vx6: np.ndarray, most_false_alarms_per_hour: float | None
) -> RuleComparison:
    """Compares rules on V videos.

    The intervals come from drawing whole videos with replacement; the same ones for both, so that the gain is that
    of pairs. Choosing is not repeated for each draw. With few videos plain percentiles are too narrow; they are
    expanded as Hesterberg, "What teachers should know about the bootstrap" (2015), has it.

    Args:
        default_Vx6: Counts of the default rule by video.
        chosen_Vx6: Counts of rules that were chosen without the video.
        most_false_alarms_per_hour: None: the gain is in F1, else in miss rate.
    """

    def gain(counts: np.ndarray) -> np.ndarray:
        default, chosen = counts[..., :6], counts[..., 6:]
        if most_false_alarms_per_hour is None:
            return f1(chosen) - f1(default)
        return miss_rate(default) - miss_rate(chosen)

    return RuleComparison(
        chosen=_rule_figures(chosen_Vx6),
        default=_rule_figures(default_Vx6),
        gain=_figure(gain, np.concatenate([default_Vx6, chosen_Vx6], axis=1)),
    )


def _rule_figures(counts_Vx6: np.ndarray) -> RuleFigures:
    return RuleFigures(*(_figure(measure, counts_Vx6) for measure in (f1, miss_rate, false_alarms_per_hour)))


def _figure(measure: Callable[[np.ndarray], np.ndarray], counts_VxC: np.ndarray) -> Figure:
    """A figure of the sums over the videos, with its interval."""
    value = float(measure(counts_VxC.sum(axis=0)))
    if math.isnan(value):
        return Figure(None, None)
    num_videos = len(counts_VxC)
    # The same draws for every figure: they begin from one seed.
    draws = np.random.default_rng(_SEED).multinomial(num_videos, np.full(num_videos, 1 / num_videos), NUM_RESAMPLES)
    tail = _tail(num_videos)
    low, high = np.nanquantile(measure(draws @ counts_VxC), [tail, 1 - tail])  # a draw may hold no event
    return Figure(value, (float(low), float(high)))


def _tail(num_videos: int) -> float:
    """The share of draws beyond each end of a 95 % interval: 0.025 for many videos, less for few."""
    from scipy.stats import norm, t

    return float(norm.cdf(t.ppf(0.025, num_videos - 1) * math.sqrt(num_videos / (num_videos - 1))))
