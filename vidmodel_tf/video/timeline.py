"""When the pictures of a video are displayed, made out of what its container says.

Second 0 is the container's start, the earliest of its streams: so players and subtitle files count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vidmodel_tf.video.packets import UNKNOWN
from vidmodel_tf.video.sampling import ROUNDING_SHARE, without_rounding

JUMP_SECONDS = 3600.0  # no still picture is displayed for longer
SUSPICIOUS_SECONDS = 10.0  # of a gap: what the sound does meanwhile decides


@dataclass(frozen=True)
class Clock:
    """The clock of one video stream.

    Args:
        tick_seconds: A tick of its timestamps.
        zero_seconds: What stands for second 0 on the stream's own clock.
        frame_seconds: A frame at the claimed rate.
        has_rate_only: The container knows no times, only a constant rate (AVI).
    """

    tick_seconds: float
    zero_seconds: float
    frame_seconds: float
    has_rate_only: bool = False


@dataclass(frozen=True, eq=False)
class Timeline:
    """Pictures in display order.

    Args:
        keys: int64 [M], what names each picture: its timestamp in ticks, or its number.
        seconds: float64 [M], when it is displayed, from second 0, non-decreasing.
        last_seconds: How long the last picture is displayed; None where the container does not say.
        frame_seconds: A frame at the claimed rate.
        tick_seconds: To what the times are rounded.
        notes: One line each: what was assumed where the container's times make no sense.
    """

    keys: np.ndarray
    seconds: np.ndarray
    last_seconds: float | None
    frame_seconds: float
    tick_seconds: float
    notes: tuple[str, ...] = ()

    def without(self, keys: set[int]) -> Timeline:
        """The timeline of the pictures that are left."""
        is_left = ~np.isin(self.keys, list(keys))
        return replace(self, keys=self.keys[is_left], seconds=self.seconds[is_left])

    @cached_property
    def regular(self) -> np.ndarray:
        """float64 [M]: `seconds` from the first picture on; a constant rate without its rounding."""
        return without_rounding(self.seconds - self.seconds[0])

    @property
    def average_seconds(self) -> float:
        """Seconds a frame, as measured."""
        if len(self.seconds) > 1 and self.regular[-1] > 0:
            return float(self.regular[-1] / (len(self.seconds) - 1))
        return self.frame_seconds

    @property
    def duration_seconds(self) -> float:
        """From the first picture to the end of the last."""
        average, last = self.average_seconds, self.last_seconds
        # A claim that differs by no more than rounding would only blur a constant rate.
        if last is None or (len(self.seconds) > 1 and abs(last - average) <= ROUNDING_SHARE * average):
            last = average
        return float(self.regular[-1] + last)

    def regular_between(self, first: int, last: int, origin_seconds: float) -> np.ndarray:
        """When the pictures `first` to `last` are displayed, without rounding.

        Only these pictures and the claimed rate decide, so that the answer is the same whether the pictures before
        them are known or not.

        Args:
            first: Index.
            last: Likewise, included.
            origin_seconds: When the first picture of the video is displayed, from second 0.

        Returns:
            float64, in seconds from `origin_seconds`.
        """
        times = self.seconds[first : last + 1] - origin_seconds
        regular = np.round(times / self.frame_seconds) * self.frame_seconds
        # to the tick, and one step a frame
        is_on_grid = np.abs(times - regular).max() <= min(self.tick_seconds, ROUNDING_SHARE * self.frame_seconds)
        if is_on_grid and (np.diff(regular) > 0.5 * self.frame_seconds).all():
            return regular
        return times[0] + without_rounding(times - times[0])


def make_timeline(
    pts: np.ndarray, last_ticks: int, clock: Clock, is_jump: Callable[[int, int], bool] = lambda before, after: False
) -> Timeline:
    """The timeline of pictures, given their timestamps in display order.

    Args:
        pts: int64 [M] in ticks, M >= 1, UNKNOWN where the container does not say.
        last_ticks: How long the last picture is displayed; 0 where the container does not say.
        clock: Of the stream.
        is_jump: Whether a suspicious gap between two timestamps is a jump of the clock.
    """
    steps = np.diff(pts)
    has_times = (pts != UNKNOWN).all() and (steps >= 0).all() and (len(pts) == 1 or (steps > 0).mean() > 0.5)
    if not has_times:
        return _by_rate(len(pts), (pts == UNKNOWN).all(), clock)
    seconds, notes = (pts * clock.tick_seconds) - clock.zero_seconds, []
    for gap in np.flatnonzero(steps * clock.tick_seconds > SUSPICIOUS_SECONDS):
        gap_seconds = float(steps[gap] * clock.tick_seconds)
        if gap_seconds > JUMP_SECONDS or is_jump(int(pts[gap]), int(pts[gap + 1])):
            seconds[gap + 1 :] -= gap_seconds - clock.frame_seconds
            at_seconds = seconds[gap]
            notes.append(
                f"its clock jumps by {gap_seconds:.0f} seconds after {at_seconds:.2f} seconds: the jump was taken out"
            )
    return Timeline(
        keys=pts,
        seconds=seconds,
        last_seconds=last_ticks * clock.tick_seconds or None,
        frame_seconds=clock.frame_seconds,
        tick_seconds=clock.tick_seconds,
        notes=tuple(notes),
    )


def _by_rate(num_frames: int, has_none: bool, clock: Clock) -> Timeline:
    fps = 1 / clock.frame_seconds
    what = "it has no timestamps" if has_none else "its timestamps stand still or fall"
    note = f"{what}: a constant rate of {fps:g} frames a second was assumed"
    return Timeline(
        keys=np.arange(num_frames),
        seconds=np.arange(num_frames) * clock.frame_seconds,
        last_seconds=None,
        frame_seconds=clock.frame_seconds,
        tick_seconds=0.0,
        notes=() if clock.has_rate_only else (note,),
    )
