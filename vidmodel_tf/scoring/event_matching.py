"""Which found events are true ones: found and true events are matched by how much they overlap in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidmodel_tf.scoring.overlap import TimeRange, temporal_iou

_TOLERANCE = 1e-9  # 0.7 and 7 / 10 of a length are the same share


def match_events(
    found: Sequence[TimeRange], scores: Sequence[float], true: Sequence[TimeRange], least_iou: float
) -> np.ndarray:
    """Matches the events that were found in one video with the true ones, as ActivityNet and THUMOS do.

    The found events choose in the order of falling score, of equal scores the earlier in `found` first. Each takes,
    of the true events that are not taken and overlap it enough, the one that overlaps it most. So every true event is
    taken once at most: a second event found for it is a wrong one.

    Args:
        found: N of them.
        scores: [N].
        true: M of them.
        least_iou: The temporal intersection over union (tIoU) that is enough.

    Returns:
        Whether each found event got a true one, booleans [N].

    Example:
        >>> match_events([(0, 4), (0, 5)], [0.7, 0.9], [(0, 4)], 0.5).tolist()
        [False, True]
    """
    is_matched = np.zeros(len(found), bool)
    if not len(found) or not len(true):
        return is_matched
    iou_NxM = temporal_iou(found, true)
    for index in np.argsort(-np.asarray(scores, np.float64), kind="stable"):
        best = int(iou_NxM[index].argmax())
        if iou_NxM[index, best] >= least_iou - _TOLERANCE:
            is_matched[index] = True
            iou_NxM[:, best] = -1.0  # taken
    return is_matched


def average_precision(scores: Sequence[float], is_matched: Sequence[bool], num_true: int) -> float | None:
    """The interpolated average precision of events, ranked by score over all videos.

    Interpolated at every recall that is reached, as PASCAL VOC has done since 2010 and ActivityNet does: the precision
    at a recall is the highest at this recall or any above. Events of equal score are ranked together, so that the
    order of the videos does not matter.

    Args:
        scores: [N].
        is_matched: Whether each event is a true one, [N].
        num_true: The number of true events, found or not.

    Returns:
        None where there is no true event.

    Example:
        >>> average_precision([0.9, 0.8, 0.7], [True, False, True], 2)  # (1 + 2 / 3) / 2
        0.8333333333333333
    """
    if not num_true:
        return None
    scores_N = np.asarray(scores, np.float64)
    order = np.argsort(-scores_N, kind="stable")
    num_matched = np.cumsum(np.asarray(is_matched, bool)[order])
    is_last_of_equal = np.append(np.diff(scores_N[order]) != 0, True)[: len(order)]
    precision = (num_matched / np.arange(1, len(order) + 1))[is_last_of_equal]
    recall = num_matched[is_last_of_equal] / num_true
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * highest))
