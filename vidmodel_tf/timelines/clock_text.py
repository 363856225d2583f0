"""Times for people, in pictures and tables."""

from __future__ import annotations


def clock_text(seconds: float) -> str:
    """Hours, minutes, seconds and tenths, never rounded up.

    Example:
        >>> clock_text(3725.99)
        '01:02:05.9'
    """
    tenths = int(seconds * 10 + 1e-6)
    minutes, tenths = divmod(tenths, 600)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{tenths // 10:02d}.{tenths % 10}"
