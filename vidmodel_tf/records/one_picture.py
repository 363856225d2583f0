"""Finds clips of which one picture is stored again and again: a sign of a decoding fault that is not known yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

WARNING = "more than half of its stored frames are one and the same picture, although their times differ"


def shows_one_picture(jpeg_frames: Sequence[bytes], timestamps_seconds: Sequence[float]) -> bool:
    """Whether more than half of a clip's frames are equal, byte for byte, and were not displayed at one time.

    A clip of fewer frames than are stored repeats each of them at its own time; that is no fault.

    Example:
        >>> shows_one_picture([b"a", b"a", b"a", b"b"], [0.0, 0.5, 1.0, 1.5])
        True
        >>> shows_one_picture([b"a", b"a", b"a", b"b"], [0.0, 0.0, 0.0, 1.5])
        False
    """
    counts = Counter(jpeg_frames).most_common(1)
    if not counts or counts[0][1] <= len(jpeg_frames) / 2:
        return False
    picture, _ = counts[0]
    times = {time for jpeg, time in zip(jpeg_frames, timestamps_seconds, strict=True) if jpeg == picture}
    return len(times) > 1
