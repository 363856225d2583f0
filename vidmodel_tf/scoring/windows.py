"""Which windows of a long video are scored. Index algebra in whole steps: no video, no model.

A step is the distance between two frames of a window. Step i has one frame, and windows of T steps begin at steps.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from vidmodel_tf.errors import InputError

WINDOWS = ("shots", "fixed")
DEFAULT_OVERLAP = 4  # windows that cover a step; more gains nothing


@dataclasses.dataclass(frozen=True)
class WindowPlan:
    """How a video is divided.

    Attributes:
        num_frames: T, frames of a window.
        num_stored_frames: N, a multiple of T: the frames that training chose from.
        window_seconds: Length of a window, more than 0.
        hop_steps: From the start of a window to that of the next, 1 to T.
    """

    num_frames: int
    num_stored_frames: int
    window_seconds: float
    hop_steps: int

    @property
    def step_seconds(self) -> float:
        """Seconds from a frame to the next."""
        return self.window_seconds / self.num_frames

    @property
    def hop_seconds(self) -> float:
        """Seconds from the start of a window to that of the next."""
        return self.hop_steps * self.step_seconds

    def frame_times(self, first_step: int, end_step: int) -> np.ndarray:
        """When the frames of steps are displayed: inference takes the first of each N/T stored frames of a clip.

        Returns:
            float64 [end_step - first_step], in seconds.
        """
        share = self.num_frames / (2 * self.num_stored_frames)
        return (np.arange(first_step, end_step) + share) * self.step_seconds

    def count_steps(self, duration_seconds: float) -> int:
        """Whole steps in so many seconds."""
        return math.floor(duration_seconds / self.step_seconds + 1e-6)

    def count_rows(self, duration_seconds: float) -> int:
        """Steps in so many seconds, a last one that is cut short included."""
        return max(math.ceil(duration_seconds / self.step_seconds - 1e-6), 1)


def plan_windows(
    num_frames: int, num_stored_frames: int, window_seconds: float, hop_seconds: float | None = None
) -> WindowPlan:
    """Makes a plan; the hop is rounded to whole steps.

    Args:
        num_frames: T.
        num_stored_frames: N, a multiple of T.
        window_seconds: Length of a window.
        hop_seconds: From the start of a window to that of the next; None: a quarter of a window.

    Raises:
        InputError: A length is not more than 0, or the hop is longer than a window.

    Example:
        >>> plan_windows(16, 32, 2.0).hop_seconds
        0.5
        >>> plan_windows(16, 32, 2.0, hop_seconds=0.3).hop_seconds
        0.25
    """
    if not (math.isfinite(window_seconds) and window_seconds > 0):
        raise InputError(f"--window: expected more than 0 seconds. Received: {window_seconds:g}")
    if hop_seconds is None:
        return WindowPlan(num_frames, num_stored_frames, window_seconds, max(num_frames // DEFAULT_OVERLAP, 1))
    if not 0 < hop_seconds <= window_seconds:
        raise InputError(
            f"--hop: expected more than 0 and at most the {window_seconds:g} seconds of a window, or parts of the "
            f"video would never be scored. Received: {hop_seconds:g}"
        )
    hop_steps = max(round(hop_seconds / window_seconds * num_frames), 1)
    return WindowPlan(num_frames, num_stored_frames, window_seconds, hop_steps)


@dataclasses.dataclass(frozen=True, order=True)
class Window:
    """T steps that are scored as one clip.

    Attributes:
        first_step: The first of its T steps.
        count_from: Its score counts for the steps from this one
        count_to: to this one, excluded.
    """

    first_step: int
    count_from: int
    count_to: int


class WindowPlanner:
    """Decides windows while a video is read.

    Between two cuts windows begin at multiples of the hop, and one more ends with the last step. What is shorter than
    a window between two cuts has one window, centred on it, whose score counts between the cuts alone. Without cuts
    the whole video is one shot.

    Args:
        plan: Length and hop.
    """

    def __init__(self, plan: WindowPlan) -> None:
        self._num_frames = plan.num_frames
        self._hop = plan.hop_steps
        self._start = 0  # of the shot that is open
        self._next = 0  # where its next window begins
        self._end_of_last = 0  # where its last window ends
        self._short: list[tuple[int, int]] = []  # shots that wait for steps behind them

    def advance(self, num_steps: int, num_settled: int, cuts: Sequence[int] = ()) -> list[Window]:
        """The windows that have become certain.

        Args:
            num_steps: Steps whose frames are there.
            num_settled: It is known where the cuts before this step are.
            cuts: The cuts found since the last call, ascending: each is the first step of a new shot.
        """
        windows = []
        for cut in cuts:
            windows += self._close(cut)
        while self._next + self._num_frames <= num_settled:
            windows.append(self._open_window())
        return windows + self._centred(num_steps, is_end=False)

    def finish(self, num_steps: int) -> list[Window]:
        """The windows at the end of a video of `num_steps`; none if it is shorter than a window."""
        if num_steps < self._num_frames:
            return []
        windows = self._close(num_steps)
        return windows + self._centred(num_steps, is_end=True)

    def first_needed(self, num_settled: int) -> int:
        """No later window begins before this step."""
        firsts = [self._next, num_settled - self._num_frames, *(self._centre(*shot) for shot in self._short)]
        return max(min(firsts), 0)

    def state(self) -> list[int]:
        """All that it remembers, for `restore`."""
        return [self._start, self._next, self._end_of_last, *(step for shot in self._short for step in shot)]

    def restore(self, state: Sequence[int]) -> None:
        """Goes on from a `state`."""
        self._start, self._next, self._end_of_last, *short = state
        self._short = list(zip(short[::2], short[1::2], strict=True))

    def _open_window(self) -> Window:
        window = Window(self._next, self._next, self._next + self._num_frames)
        self._next += self._hop
        self._end_of_last = window.count_to
        return window

    def _close(self, end: int) -> list[Window]:
        windows = []
        if end - self._start < self._num_frames:
            self._short += [(self._start, end)] if end > self._start else []
        else:
            while self._next + self._num_frames <= end:
                windows.append(self._open_window())
            if self._end_of_last < end:
                windows.append(Window(end - self._num_frames, end - self._num_frames, end))
        self._start = self._next = self._end_of_last = end
        return windows

    def _centred(self, num_steps: int, *, is_end: bool) -> list[Window]:
        windows, waiting = [], []
        for start, end in self._short:
            first = self._centre(start, end)
            if is_end:
                first = min(first, num_steps - self._num_frames)
            if first + self._num_frames <= num_steps:
                windows.append(Window(first, start, end))
            else:
                waiting.append((start, end))
        self._short = waiting
        return windows

    def _centre(self, start: int, end: int) -> int:
        return max(start - (self._num_frames - (end - start)) // 2, 0)
