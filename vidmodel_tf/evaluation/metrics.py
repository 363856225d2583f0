"""Scores and labels -> figures of one head. No TensorFlow.

Legend: n clips, K classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.calibration import calibration
from vidmodel_tf.evaluation.intervals import wilson_interval
from vidmodel_tf.evaluation.results import (
    AverageFigures,
    ClassFigures,
    LabelFigures,
    MultiLabelResult,
    SingleLabelResult,
)

TOP_K = (2, 3, 5)
SMALLEST_SCORE = 1e-7  # float32 cannot tell 1 - 1e-8 from 1: below this a logarithm would measure rounding


def single_label_metrics(
    scores: np.ndarray,
    class_ids: np.ndarray,
    class_names: Sequence[str],
    train_counts: Sequence[int] | None = None,
) -> SingleLabelResult:
    """Measures a head whose clips have one class each.

    Args:
        scores: [n, K], 0 to 1 (softmax).
        class_ids: Integers [n]; clips with -1 are not labelled and are left out.
        class_names: K names, by class id.
        train_counts: [K], the training clips of each class. The baseline is the accuracy of always answering with the
            class most frequent there; without them, with the class most frequent in `class_ids`, which flatters it.

    Raises:
        InputError: A score is not finite or outside 0 to 1, or sizes and ids do not fit each other.

    Example:
        >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
        >>> result = single_label_metrics(scores, np.array([0, 1, 1]), ["calm", "loud"])
        >>> round(result.accuracy, 3), result.confusion_matrix
        (0.667, [[1, 0], [1, 1]])
    """
    class_ids = np.asarray(class_ids)
    scores = _check_scores(scores, len(class_ids), class_names)
    if np.any((class_ids < -1) | (class_ids >= len(class_names))):
        raise InputError(f"class_ids: expected -1 to {len(class_names) - 1}. Received: {np.unique(class_ids).tolist()}")
    scores, class_ids = scores[class_ids >= 0], class_ids[class_ids >= 0]
    if not len(class_ids):
        return SingleLabelResult()
    # float32 and a stable order, so that the first of the ranked classes is the one that `decide` chooses.
    ranked_ids = np.argsort(-scores.astype(np.float32), axis=1, kind="stable")
    hits = ranked_ids == class_ids[:, np.newaxis]
    error, bins = calibration(scores.max(axis=1), hits[:, 0])
    counts = np.bincount(class_ids, minlength=len(class_names))
    per_class = _per_class(class_ids, ranked_ids[:, 0], class_names)
    known = [figures for figures in per_class.values() if figures.support]
    return SingleLabelResult(
        num_clips=len(class_ids),
        accuracy=float(hits[:, 0].mean()),
        interval_95=wilson_interval(int(hits[:, 0].sum()), len(class_ids)),
        baseline=float(counts[np.argmax(counts if train_counts is None else train_counts)] / len(class_ids)),
        top_k={k: float(hits[:, :k].any(axis=1).mean()) for k in TOP_K if k < len(class_names)},
        balanced_accuracy=_mean(figures.recall for figures in known),
        macro_f1=_mean(figures.f1 for figures in known),
        per_class=per_class,
        confusion_matrix=_confusion_matrix(class_ids, ranked_ids[:, 0], len(class_names)),
        log_loss=_log_loss(scores, class_ids),
        calibration_error=error,
        calibration_bins=bins,
    )


def multi_label_metrics(
    scores: np.ndarray,
    targets: np.ndarray,
    labelled: np.ndarray,
    class_names: Sequence[str],
    thresholds: Sequence[float],
) -> MultiLabelResult:
    """Measures a head whose clips have any number of classes each.

    Args:
        scores: [n, K], 0 to 1 (sigmoid).
        targets: [n, K], 1 where the clip has the class, else 0.
        labelled: Booleans [n]; the other clips are left out.
        class_names: K names, by class id.
        thresholds: [K], see `decision.decide`.

    Raises:
        InputError: A score is not finite or outside 0 to 1, or sizes do not fit each other.

    Example:
        >>> scores, targets = np.array([[0.9, 0.6], [0.2, 0.7]]), np.array([[1, 0], [0, 1]])
        >>> result = multi_label_metrics(scores, targets, np.array([True, True]), ["car", "dog"], [0.5, 0.5])
        >>> result.accuracy, round(result.micro.precision, 3), result.micro.recall
        (0.5, 0.667, 1.0)
    """
    targets, labelled = np.asarray(targets), np.asarray(labelled, bool)
    scores = _check_scores(scores, len(targets), class_names)
    if targets.shape != scores.shape or labelled.shape != scores.shape[:1]:
        raise InputError(
            f"expected targets {scores.shape} and labelled {scores.shape[:1]}, as many as scores. "
            f"Received: targets {targets.shape}, labelled {labelled.shape}"
        )
    scores, targets = scores[labelled], targets[labelled] > 0
    if not len(targets):
        return MultiLabelResult()
    answers = decide(scores, thresholds)
    is_exact = (answers == targets).all(axis=1)
    _, set_counts = np.unique(targets, axis=0, return_counts=True)
    error, bins = calibration(scores.ravel(), targets.ravel())
    figures = [_label_figures(scores[:, k], targets[:, k], answers[:, k]) for k in range(len(class_names))]
    known = [each for each in figures if each.support]
    return MultiLabelResult(
        num_clips=len(targets),
        accuracy=float(is_exact.mean()),
        interval_95=wilson_interval(int(is_exact.sum()), len(targets)),
        baseline=float(set_counts.max() / len(targets)),
        mean_average_precision=_mean(each.average_precision for each in known),
        micro=AverageFigures(*_precision_recall_f1(targets.ravel(), answers.ravel())[:3]),
        macro=AverageFigures(*(_mean(getattr(each, name) for each in known) for name in ("precision", "recall", "f1"))),
        per_class=dict(zip(class_names, figures, strict=True)),
        calibration_error=error,
        calibration_bins=bins,
    )


def _check_scores(scores: np.ndarray, num_clips: int, class_names: Sequence[str]) -> np.ndarray:
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


def _per_class(class_ids: np.ndarray, answers: np.ndarray, class_names: Sequence[str]) -> dict[str, ClassFigures]:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(class_ids, answers, labels=range(len(class_names)), zero_division=0)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {
        name: ClassFigures(row[0], row[1], row[2], int(row[3])) for name, row in zip(class_names, rows, strict=True)
    }


def _confusion_matrix(class_ids: np.ndarray, answers: np.ndarray, num_classes: int) -> list[list[int]]:
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(class_ids, answers, labels=range(num_classes)).tolist()


def _label_figures(scores: np.ndarray, targets: np.ndarray, answers: np.ndarray) -> LabelFigures:
    from sklearn.metrics import average_precision_score

    average_precision = float(average_precision_score(targets, scores)) if targets.any() else None
    return LabelFigures(*_precision_recall_f1(targets, answers), average_precision)


def _precision_recall_f1(targets: np.ndarray, answers: np.ndarray) -> tuple[float, float, float, int]:
    """Precision, recall, F1 (0 where they would be 0/0) and support of the positives among booleans."""
    from sklearn.metrics import precision_recall_fscore_support

    *figures, support = precision_recall_fscore_support(targets, answers, labels=[True], zero_division=0)
    return *(column.item() for column in figures), int(support.item())


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _log_loss(scores: np.ndarray, class_ids: np.ndarray) -> float:
    # Not scikit-learn's, which warns of float32 scores because their sum is 1 only within rounding.
    true_scores = scores[np.arange(len(class_ids)), class_ids]
    return float(-np.log(np.maximum(true_scores, SMALLEST_SCORE)).mean())
