"""How long the clips were that a model was trained on: windows of a longer video should be as long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np


@dataclasses.dataclass(frozen=True)
class ClipSeconds:
    """Durations of the training clips, in seconds.

    Attributes:
        median: Half of the clips are shorter.
        p5: 5 % of the clips are shorter.
        p95: 5 % of the clips are longer.
    """

    median: float
    p5: float
    p95: float

    @classmethod
    def of(cls, durations_seconds: Iterable[float]) -> ClipSeconds | None:
        """Summarises durations; None where no clip has one (words without videos).

        Example:
            >>> ClipSeconds.of([1.0, 2.0, 4.0])
            ClipSeconds(median=2.0, p5=1.1, p95=3.8)
        """
        durations = [seconds for seconds in durations_seconds if seconds > 0]
        if not durations:
            return None
        # Rounded to milliseconds: durations are stored as float32, whose further digits are noise.
        p5, median, p95 = (round(float(value), 3) for value in np.percentile(durations, [5, 50, 95]))
        return cls(median=median, p5=p5, p95=p95)
