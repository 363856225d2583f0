"""Ranges of time and how much they overlap. Half open: ranges that only touch do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

TimeRange = tuple[float, float]
"""The start and the end, in seconds; the end lies after the start."""


def united(ranges: Iterable[TimeRange]) -> tuple[TimeRange, ...]:
    """The ranges in order, those that overlap or touch as one.

    Example:
        >>> united([(4, 6), (0, 2), (5, 9), (2, 3)])
        ((0, 3), (4, 9))
    """
    result: list[TimeRange] = []
    for start, end in sorted(ranges):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)


def overlap_seconds(one: Sequence[TimeRange], other: Sequence[TimeRange]) -> np.ndarray:
    """How long each of N ranges overlaps each of M others, [N, M].

    Example:
        >>> overlap_seconds([(0, 4)], [(3, 9), (4, 5)]).tolist()
        [[1.0, 0.0]]
    """
    one_Nx2, other_Mx2 = _array(one), _array(other)
    starts = np.maximum(one_Nx2[:, np.newaxis, 0], other_Mx2[:, 0])
    ends = np.minimum(one_Nx2[:, np.newaxis, 1], other_Mx2[:, 1])
    return np.maximum(ends - starts, 0.0)


def temporal_iou(one: Sequence[TimeRange], other: Sequence[TimeRange]) -> np.ndarray:
    """The temporal intersection over union (tIoU) of each of N ranges and each of M others, [N, M], 0 to 1.

    Example:
        >>> temporal_iou([(0, 4)], [(2, 6), (0, 4)]).round(3).tolist()
        [[0.333, 1.0]]
    """
    shared = overlap_seconds(one, other)
    lengths_N, lengths_M = (array[:, 1] - array[:, 0] for array in (_array(one), _array(other)))
    return shared / (lengths_N[:, np.newaxis] + lengths_M - shared)


def _array(ranges: Sequence[TimeRange]) -> np.ndarray:
    return np.asarray(ranges, np.float64).reshape(-1, 2)
