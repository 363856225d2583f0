"""What the predictions of a cross-validation say: pooled accuracy, its spread, and whether one model is better.

Clips of one source are alike, so intervals come from drawing whole sources (Field and Welsh, "Bootstrapping clustered
data", 2007). They are conditional on the trained models. No TensorFlow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vidmodel_tf.errors import InputError

NUM_RESAMPLES = 10_000
_SEED = 0

Prediction = Mapping[str, Any]  # {"seed", "fold", "id", "source", "heads": {HEAD: {"truth", "answer", "scores"}}}


def pooled_metrics(predictions: Sequence[Prediction], head: str) -> dict[str, Any] | None:
    """Measures one head.

    Args:
        predictions: Of every seed, each clip once a seed.
        head: Its name; predictions whose truth is None are left out.

    Returns:
        `pooled_accuracy`, over all predictions; `interval_95`, from a bootstrap over sources; `mean` of the accuracies
        of the folds; `sd_over_seeds` of the pooled accuracy of each seed and `sd_over_folds` of the accuracy of each
        fold of each seed (both with n - 1; None for one); `num_clips`, `num_sources`. None where nothing is labelled.
    """
    rows = [row for row in predictions if row["heads"][head]["truth"] is not None]
    if not rows:
        return None
    hits = np.array([_is_hit(row, head) for row in rows])
    by_seed, by_fold = defaultdict(list), defaultdict(list)
    for row, hit in zip(rows, hits, strict=True):
        by_seed[row["seed"]].append(hit)
        by_fold[row["seed"], row["fold"]].append(hit)
    accuracies = [np.mean(values) for values in by_fold.values()]
    return {
        "pooled_accuracy": float(hits.mean()),
        "interval_95": bootstrap_interval([row["source"] for row in rows], hits),
        "mean": float(np.mean(accuracies)),
        "sd_over_seeds": _deviation([np.mean(values) for values in by_seed.values()]),
        "sd_over_folds": _deviation(accuracies),
        "num_clips": len({row["id"] for row in rows}),
        "num_sources": len({row["source"] for row in rows}),
    }


def paired_difference(one: Sequence[Prediction], other: Sequence[Prediction], head: str) -> dict[str, Any]:
    """How much more often `one` is right than `other`, clip by clip, each averaged over its seeds.

    Returns:
        `difference` of the pooled accuracies, `interval_95` from a bootstrap over sources, and `verdict`: "better",
        "worse", or "not told apart" where the interval holds zero.

    Raises:
        InputError: The two were not made from the same clips with the same answers.
    """
    hits, sources, truths = zip(*(_hits_by_clip(rows, head) for rows in (one, other)), strict=True)
    if truths[0] != truths[1] or not truths[0]:
        differing = sorted(set(truths[0].items()) ^ set(truths[1].items()), key=str)
        example = f", such as {differing[0][0]!r}" if differing else ""
        raise InputError(
            f"expected two cross-validations of the same clips with the same answers for the head {head!r}. "
            f"Received: {len(truths[0])} and {len(truths[1])} labelled clips, {len(differing)} differences{example}"
        )
    ids = sorted(truths[0])
    differences = np.array([np.mean(hits[0][clip_id]) - np.mean(hits[1][clip_id]) for clip_id in ids])
    low, high = bootstrap_interval([sources[0][clip_id] for clip_id in ids], differences)
    known = low is not None
    verdict = "better" if known and low > 0 else "worse" if known and high < 0 else "not told apart"
    return {"difference": float(differences.mean()), "interval_95": [low, high], "verdict": verdict}


def bootstrap_interval(sources: Sequence[str], values: np.ndarray) -> list[float | None]:
    """The 95 % percentile interval [low, high] of the mean of values [n] when whole sources are drawn again.

    [None, None] where there is one source only: nothing says how others would differ from it.
    """
    names, group = np.unique(np.asarray(sources, object).astype(str), return_inverse=True)
    if len(names) < 2:
        return [None, None]
    sums = np.bincount(group, weights=np.asarray(values, float), minlength=len(names))
    counts = np.bincount(group, minlength=len(names))
    draws = np.random.default_rng(_SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), NUM_RESAMPLES)
    means = (draws @ sums) / (draws @ counts)
    return [float(value) for value in np.percentile(means, [2.5, 97.5])]


def _is_hit(row: Prediction, head: str) -> float:
    return float(row["heads"][head]["answer"] == row["heads"][head]["truth"])


def _hits_by_clip(rows: Sequence[Prediction], head: str):
    hits, sources, truths = defaultdict(list), {}, {}
    for row in rows:
        truth = row["heads"].get(head, {}).get("truth")
        if truth is not None:
            hits[row["id"]].append(_is_hit(row, head))
            sources[row["id"]] = row["source"]
            truths[row["id"]] = tuple(truth) if isinstance(truth, list) else truth
    return hits, sources, truths


def _deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
