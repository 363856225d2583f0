"""Which frames stand for a clip: index algebra in NumPy, no video in sight.

Times are in seconds from the start of the video, ranges of time are half open: [start, end).
A frame is on display from its timestamp until that of the next frame.
"""

from __future__ import annotations

import numpy as np

from vidmodel_tf.errors import InputError

# Far above the rounding of float64 seconds (1e-11 after a day), far below the distance of any sample time from a
# frame boundary that it does not lie on (interval / 2N: 5e-7 at 240 frames a second and N = 4096).
TIE_TOLERANCE_SECONDS = 1e-9

# Containers round timestamps to ticks of up to 10 ms (GIF; Matroska, WebM and FLV: 1 ms). A timestamp within this
# share of the average interval of a constant rate is taken for a rounded one.
ROUNDING_SHARE = 0.25


def sample_times(start_seconds: float, end_seconds: float, num_frames: int) -> np.ndarray:
    """The centre of each of `num_frames` equal parts of [start_seconds, end_seconds).

    Returns:
        float64 [num_frames], increasing.

    Raises:
        InputError: `num_frames` is below 1.
    """
    if num_frames < 1:
        raise InputError(f"num_frames: expected 1 or more. Received: {num_frames}")
    parts = np.arange(num_frames, dtype=np.float64)
    # one division, last: two times that are equal on paper are then equal to the last bit but one
    return start_seconds + (2 * parts + 1) * (end_seconds - start_seconds) / (2 * num_frames)


def frames_at(timestamps_seconds: np.ndarray, times_seconds: np.ndarray) -> np.ndarray:
    """Index of the frame on display at each time: the last whose timestamp is not later, the first before all.

    Args:
        timestamps_seconds: Float [M], non-decreasing, M >= 1.
        times_seconds: Float [N].

    Returns:
        int64 [N], 0 to M - 1; non-decreasing where the times are.

    Raises:
        InputError: There is no frame.
    """
    timestamps_seconds = np.asarray(timestamps_seconds, np.float64)
    if timestamps_seconds.size == 0:
        raise InputError("timestamps_seconds: expected at least one frame. Received: none")
    later = np.searchsorted(timestamps_seconds, np.asarray(times_seconds) + TIE_TOLERANCE_SECONDS, side="right")
    return np.maximum(later - 1, 0).astype(np.int64)


def without_rounding(timestamps_seconds: np.ndarray) -> np.ndarray:
    """The timestamps of a constant rate before its container rounded them; any others as they are.

    With M = 2N frames every sample time is exactly the timestamp of a frame, so that 0.033 in place of 1/30 decides
    between two frames. On the regular grid the choice is that of whole numbers, floor((n + 1/2) * M / N).

    Args:
        timestamps_seconds: Float [M], non-decreasing.

    Returns:
        float64 [M].
    """
    timestamps_seconds = np.asarray(timestamps_seconds, np.float64)
    num_intervals = len(timestamps_seconds) - 1
    if num_intervals < 1:
        return timestamps_seconds
    first, last = timestamps_seconds[[0, -1]]
    regular = first + np.arange(num_intervals + 1) * (last - first) / num_intervals
    tolerance_seconds = ROUNDING_SHARE * (last - first) / num_intervals
    is_constant_rate = np.abs(timestamps_seconds - regular).max() <= tolerance_seconds
    return regular if is_constant_rate else timestamps_seconds


def slots_for_inference(num_stored: int, num_frames: int) -> np.ndarray:
    """Every (N/T)-th of N stored frames: 0, N/T, 2N/T, ...

    Args:
        num_stored: N, a multiple of T.
        num_frames: T.

    Returns:
        int64 [T].

    Raises:
        InputError: N is not a multiple of T.
    """
    return np.arange(num_frames) * slot_stride(num_stored, num_frames)


def slot_stride(num_stored: int, num_frames: int) -> int:
    """N/T, the number of offsets that training can draw.

    Raises:
        InputError: N is not a multiple of T.
    """
    if num_stored < 1 or num_frames < 1 or num_stored % num_frames:
        possible = ", ".join(str(value) for value in range(1, num_stored + 1) if num_stored % value == 0)
        raise InputError(
            f"num_frames: expected a divisor of the {num_stored} frames that are stored of a clip ({possible}). "
            f"Received: {num_frames}"
        )
    return num_stored // num_frames
