"""How good scores are, in numbers: plain dicts that go into JSON. No TensorFlow.

Legend: n clips, K classes. Where nothing is labelled every figure is None and `num_clips` is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.errors import InputError

NUM_CALIBRATION_BINS = 15
TOP_K = (2, 3, 5)
SMALLEST_SCORE = 1e-7  # float32 cannot tell 1 - 1e-8 from 1: below this a logarithm would measure rounding

SINGLE_LABEL_FIGURES = (
    "accuracy",
    "interval_95",
    "baseline",
    "top_k",
    "balanced_accuracy",
    "macro_f1",
    "per_class",
    "confusion_matrix",
    "log_loss",
    "calibration_error",
    "calibration_bins",
)
MULTI_LABEL_FIGURES = (
    "accuracy",
    "interval_95",
    "baseline",
    "mean_average_precision",
    "micro",
    "macro",
    "per_class",
    "calibration_error",
    "calibration_bins",
)


def single_label_metrics(
    scores: np.ndarray,
    class_ids: np.ndarray,
    class_names: Sequence[str],
    train_counts: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Measures a head whose clips have one class each.

    Args:
        scores: [n, K], 0 to 1 (softmax).
        class_ids: Integers [n]; a clip with -1 is not labelled and left out.
        class_names: K names, by class id.
        train_counts: K, clips of each class in the training split. The baseline is the accuracy of always answering
            the class most frequent there; without them, of the class most frequent in `class_ids`, which flatters it.

    Returns:
        `num_clips` (labelled ones), `accuracy`, `interval_95` (Wilson), `baseline`, `top_k` ({"2": ...}; k < K),
        `balanced_accuracy` (mean recall) and `macro_f1`, both over the classes that have a clip, `log_loss` (natural
        logarithm), `calibration_error` and `calibration_bins` (of the top score, see `calibration`), `per_class`
        ({name: precision, recall, f1, support}; 0 where it would be 0/0) and `confusion_matrix` (rows: truth).

    Raises:
        InputError: A score is not finite or outside 0 to 1, or sizes and ids do not fit each other.
    """
    class_ids = np.asarray(class_ids)
    scores = _checked_scores(scores, len(class_ids), class_names)
    if np.any((class_ids < -1) | (class_ids >= len(class_names))):
        raise InputError(f"class_ids: expected -1 to {len(class_names) - 1}. Received: {np.unique(class_ids).tolist()}")
    labelled = class_ids >= 0
    scores, class_ids = scores[labelled], class_ids[labelled]
    num_clips = len(class_ids)
    if not num_clips:
        return {"num_clips": 0, **dict.fromkeys(SINGLE_LABEL_FIGURES)}
    counts = np.bincount(class_ids, minlength=len(class_names))
    # float32 and a stable order, so that the first of the ranked classes is the one that `decide` chooses.
    ranked_ids = np.argsort(-scores.astype(np.float32), axis=1, kind="stable")
    hits = ranked_ids == class_ids[:, np.newaxis]
    error, bins = calibration(scores.max(axis=1), hits[:, 0])
    baseline_id = int(np.argmax(counts if train_counts is None else train_counts))
    return {
        "num_clips": num_clips,
        "accuracy": float(hits[:, 0].mean()),
        "interval_95": wilson_interval(int(hits[:, 0].sum()), num_clips),
        "baseline": float(counts[baseline_id] / num_clips),
        "top_k": {str(k): float(hits[:, :k].any(axis=1).mean()) for k in TOP_K if k < len(class_names)},
        **_class_figures(class_ids, ranked_ids[:, 0], class_names),
        "log_loss": _log_loss(scores, class_ids),
        "calibration_error": error,
        "calibration_bins": bins,
    }


def multi_label_metrics(
    scores: np.ndarray,
    targets: np.ndarray,
    labelled: np.ndarray,
    class_names: Sequence[str],
    thresholds: np.ndarray,
) -> dict[str, Any]:
    """Measures a head whose clips have any number of classes each.

    Args:
        scores: [n, K], 0 to 1 (sigmoid).
        targets: [n, K], 1 where the clip has the class, else 0.
        labelled: Booleans [n]; the other clips are left out.
        class_names: K names, by class id.
        thresholds: [K]; see `decision.decide`.

    Returns:
        `num_clips` (labelled ones), `accuracy` (subset accuracy: the share of clips whose set of classes is exactly
        right) with its `interval_95` (Wilson), `baseline` (subset accuracy of always answering the most frequent
        set), `mean_average_precision` (over the classes that a clip has), `micro` and `macro` ({precision, recall,
        f1}; macro over the classes that a clip has), `calibration_error` and `calibration_bins` (of every score, see
        `calibration`) and `per_class` ({name: precision, recall, f1, support, average_precision}).

    Raises:
        InputError: A score is not finite or outside 0 to 1, or sizes do not fit each other.
    """
    targets, labelled = np.asarray(targets), np.asarray(labelled, bool)
    scores = _checked_scores(scores, len(targets), class_names)
    if targets.shape != scores.shape or labelled.shape != scores.shape[:1]:
        raise InputError(
            f"expected targets {scores.shape} and labelled {scores.shape[:1]}, as many as scores. "
            f"Received: targets {targets.shape}, labelled {labelled.shape}"
        )
    scores, targets = scores[labelled], targets[labelled] > 0
    if not len(targets):
        return {"num_clips": 0, **dict.fromkeys(MULTI_LABEL_FIGURES)}
    answers = decide(scores, thresholds)
    exact = (answers == targets).all(axis=1)
    _, set_counts = np.unique(targets, axis=0, return_counts=True)
    error, bins = calibration(scores.ravel(), targets.ravel())
    return {
        "num_clips": len(targets),
        "accuracy": float(exact.mean()),
        "interval_95": wilson_interval(int(exact.sum()), len(exact)),
        "baseline": float(set_counts.max() / len(targets)),
        **_label_figures(scores, targets, answers, class_names),
        "calibration_error": error,
        "calibration_bins": bins,
    }


def wilson_interval(num_correct: int, num_clips: int) -> list[float] | None:
    """The 95 % interval [low, high] of an accuracy (Wilson 1927, score interval); None where there are no clips."""
    from scipy.stats import binomtest

    if not num_clips:
        return None
    interval = binomtest(num_correct, num_clips).proportion_ci(0.95, method="wilson")
    return [float(interval.low), float(interval.high)]


def calibration(confidences: np.ndarray, correct: np.ndarray) -> tuple[float, list[dict[str, Any]]]:
    """Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3).

    ECE = sum over bins m of |B_m| / n * |accuracy(B_m) - confidence(B_m)|, with 15 bins of equal width,
    B_m being the scores in ((m - 1) / 15, m / 15]; a score of 0 belongs to the first.

    Args:
        confidences: [n], 0 to 1, n >= 1.
        correct: Booleans [n].

    Returns:
        The error, and the bins from low to high: `confidence` and `accuracy` (None where empty), `num_scores`.
    """
    edges = np.arange(1, NUM_CALIBRATION_BINS) / NUM_CALIBRATION_BINS
    bin_ids = np.digitize(confidences, edges, right=True)
    error, bins = 0.0, []
    for bin_id in range(NUM_CALIBRATION_BINS):
        inside = bin_ids == bin_id
        num_scores = int(inside.sum())
        if not num_scores:
            bins.append({"confidence": None, "accuracy": None, "num_scores": 0})
            continue
        confidence, accuracy = float(confidences[inside].mean()), float(correct[inside].mean())
        error += num_scores / len(confidences) * abs(accuracy - confidence)
        bins.append({"confidence": confidence, "accuracy": accuracy, "num_scores": num_scores})
    return float(error), bins


def _checked_scores(scores: np.ndarray, num_clips: int, class_names: Sequence[str]) -> np.ndarray:
    scores = np.asarray(scores, np.float64)
    if scores.shape != (num_clips, len(class_names)):
        raise InputError(f"scores: expected shape {(num_clips, len(class_names))}. Received: {scores.shape}")
    faulty = ~((scores >= 0) & (scores <= 1 + 1e-6)).all(axis=1)  # NaN too; a float32 softmax may round above 1
    if faulty.any():
        first = int(np.argmax(faulty))
        raise InputError(
            f"scores: expected numbers from 0 to 1. Received: {scores[first].tolist()} for clip {first} "
            f"({int(faulty.sum())} such clips); NaN means that training diverged: lower the learning rate"
        )
    return np.minimum(scores, 1.0)


def _class_figures(class_ids: np.ndarray, answers: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    all_ids = list(range(len(class_names)))
    columns = precision_recall_fscore_support(class_ids, answers, labels=all_ids, zero_division=0)
    _, recall, f1, support = columns
    return {
        "balanced_accuracy": float(recall[support > 0].mean()),
        "macro_f1": float(f1[support > 0].mean()),
        "per_class": _by_name(class_names, columns),
        "confusion_matrix": confusion_matrix(class_ids, answers, labels=all_ids).tolist(),
    }


def _label_figures(
    scores: np.ndarray, targets: np.ndarray, answers: np.ndarray, class_names: Sequence[str]
) -> dict[str, Any]:
    true_positives = (answers & targets).sum(axis=0)
    columns = _precision_recall_f1(true_positives, answers.sum(axis=0), targets.sum(axis=0))
    support = targets.sum(axis=0)
    per_class = _by_name(class_names, (*columns, support))
    precisions = [_average_precision(targets[:, k], scores[:, k]) for k in range(len(class_names))]
    for figures, average_precision in zip(per_class.values(), precisions, strict=True):
        figures["average_precision"] = average_precision
    known = [precision for precision in precisions if precision is not None]
    macro = [column[support > 0].mean() if known else None for column in columns]
    micro = _precision_recall_f1(true_positives.sum(), answers.sum(), support.sum())
    return {
        "mean_average_precision": float(np.mean(known)) if known else None,
        "micro": _named_figures(micro),
        "macro": _named_figures(macro),
        "per_class": per_class,
    }


def _precision_recall_f1(true_positives: Any, num_answered: Any, num_true: Any) -> tuple[Any, Any, Any]:
    precision = true_positives / np.maximum(num_answered, 1)  # 0/0 counts as 0
    recall = true_positives / np.maximum(num_true, 1)
    return precision, recall, 2 * true_positives / np.maximum(num_answered + num_true, 1)


def _average_precision(targets: np.ndarray, scores: np.ndarray) -> float | None:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(targets, scores)) if targets.any() else None


def _by_name(class_names: Sequence[str], columns: Sequence[np.ndarray]) -> dict[str, dict[str, Any]]:
    return {
        name: {**_named_figures(row[:3]), "support": int(row[3])}
        for name, row in zip(class_names, zip(*columns, strict=True), strict=True)
    }


def _named_figures(figures: Sequence[Any]) -> dict[str, float | None]:
    names = ("precision", "recall", "f1")
    return {name: None if value is None else float(value) for name, value in zip(names, figures, strict=True)}


def _log_loss(scores: np.ndarray, class_ids: np.ndarray) -> float:
    true_scores = scores[np.arange(len(class_ids)), class_ids]
    return float(-np.log(np.maximum(true_scores, SMALLEST_SCORE)).mean())
