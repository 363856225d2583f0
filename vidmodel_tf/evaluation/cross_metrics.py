"""Figures of cross-validations: the pooled accuracy and its spread, and whether one model is better than another.

Intervals are conditional on the trained models: they say how accuracy varies with the clips. No TensorFlow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from vidmodel_tf.clips.clip import Label
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.intervals import bootstrap_interval
from vidmodel_tf.evaluation.predictions import Prediction
from vidmodel_tf.evaluation.results import PairedDifference, PooledResult


def pooled_metrics(predictions: Iterable[Prediction], head: str) -> PooledResult | None:
    """Measures one head.

    Args:
        predictions: Of every seed, each clip once per seed. Clips that are not labelled are left out.
        head: Its name.

    Returns:
        None where no clip is labelled.
    """
    rows = [row for row in predictions if row.heads[head].truth is not None]
    if not rows:
        return None
    hits = [row.heads[head].is_right for row in rows]
    by_seed, by_fold = defaultdict(list), defaultdict(list)
    for row, hit in zip(rows, hits, strict=True):
        by_seed[row.seed].append(hit)
        by_fold[row.seed, row.fold].append(hit)
    accuracies = [float(np.mean(values)) for values in by_fold.values()]
    return PooledResult(
        pooled_accuracy=float(np.mean(hits)),
        interval_95=bootstrap_interval([row.source for row in rows], hits),
        mean=float(np.mean(accuracies)),
        sd_over_seeds=_deviation([float(np.mean(values)) for values in by_seed.values()]),
        sd_over_folds=_deviation(accuracies),
        num_clips=len({row.id for row in rows}),
        num_sources=len({row.source for row in rows}),
    )


def paired_difference(one: Iterable[Prediction], other: Iterable[Prediction], head: str) -> PairedDifference:
    """How much more often `one` is right than `other`, clip by clip, each averaged over its seeds.

    Raises:
        InputError: The clips or their labels differ.
    """
    rows = [_by_clip(predictions, head) for predictions in (one, other)]
    _check_same_clips(rows[0], rows[1], head)
    ids = sorted(rows[0])
    accuracies = [np.array([_accuracy(by_clip[clip_id], head) for clip_id in ids]) for by_clip in rows]
    differences = accuracies[0] - accuracies[1]
    interval = bootstrap_interval([rows[0][clip_id][0].source for clip_id in ids], differences)
    return PairedDifference(float(differences.mean()), interval, _verdict(*interval))


def _verdict(low: float | None, high: float | None) -> str:
    if low is not None and low > 0:
        return "better"
    return "worse" if high is not None and high < 0 else "not told apart"


def _by_clip(predictions: Iterable[Prediction], head: str) -> dict[str, list[Prediction]]:
    """The predictions about each labelled clip."""
    by_clip = defaultdict(list)
    for row in predictions:
        if head in row.heads and row.heads[head].truth is not None:
            by_clip[row.id].append(row)
    return by_clip


def _check_same_clips(one: dict[str, list[Prediction]], other: dict[str, list[Prediction]], head: str) -> None:
    truths: list[dict[str, Label]] = [
        {clip_id: rows[-1].heads[head].truth for clip_id, rows in by_clip.items()} for by_clip in (one, other)
    ]
    if truths[0] == truths[1] and truths[0]:
        return
    differing = sorted(set(truths[0].items()) ^ set(truths[1].items()), key=str)
    example = f", such as {differing[0][0]!r}" if differing else ""
    raise InputError(
        f"expected two cross-validations of the same clips with the same answers for the head {head!r}. "
        f"Received: {len(one)} and {len(other)} labelled clips, {len(differing)} differences{example}"
    )


def _accuracy(rows: Sequence[Prediction], head: str) -> float:
    return float(np.mean([row.heads[head].is_right for row in rows]))


def _deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
