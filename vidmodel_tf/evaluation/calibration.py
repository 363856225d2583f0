"""Whether scores are as often right as they claim: the expected calibration error."""

from __future__ import annotations

import numpy as np

from vidmodel_tf.evaluation.results import CalibrationBin

NUM_BINS = 15


def calibration(confidences: np.ndarray, is_correct: np.ndarray) -> tuple[float, tuple[CalibrationBin, ...]]:
    """Expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3).

    ECE = sum over bins m of |B_m| / n * |accuracy(B_m) - confidence(B_m)|, with 15 bins of equal width;
    B_m holds the scores in ((m - 1) / 15, m / 15], and a score of 0 is in the first bin.

    Args:
        confidences: [n], 0 to 1, n >= 1.
        is_correct: Booleans [n].

    Returns:
        The error, and the bins from low to high.

    Example:
        >>> error, bins = calibration(np.array([0.9, 0.9]), np.array([True, False]))
        >>> round(error, 3), bins[13].num_scores
        (0.4, 2)
    """
    edges = np.arange(1, NUM_BINS) / NUM_BINS
    bin_ids = np.digitize(confidences, edges, right=True)
    insides = [bin_ids == bin_id for bin_id in range(NUM_BINS)]
    bins = tuple(_bin(confidences[inside], is_correct[inside]) for inside in insides)
    error = sum(
        bin_.num_scores / len(confidences) * abs(bin_.accuracy - bin_.confidence)
        for bin_ in bins
        if bin_.accuracy is not None and bin_.confidence is not None
    )
    return float(error), bins


def _bin(confidences: np.ndarray, is_correct: np.ndarray) -> CalibrationBin:
    if not len(confidences):
        return CalibrationBin(None, None, 0)
    return CalibrationBin(float(confidences.mean()), float(is_correct.mean()), len(confidences))
