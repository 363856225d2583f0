"""Frames of one source -> scores of steps, counted from its first frame over every loss and jump."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from vidmodel_tf.scoring.timed_scores import DECIMALS
from vidmodel_tf.scoring.windows import Window, WindowPlan
from vidmodel_tf.video.camera import LiveFrame


class Scored(Protocol):
    """Windows and what the model says of them."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """B of them."""
        ...

    @property
    def scores(self) -> Mapping[str, np.ndarray]:
        """[B, K] by head."""
        ...


class FramePass(Protocol):
    """A pass of the model over frames without a break (`scoring.window_pass.WindowPass`)."""

    def push(self, frames: np.ndarray) -> Scored:
        """Takes frames, and scores the windows that have become complete."""
        ...


StepScore = tuple[int, dict[str, np.ndarray]]
"""A step and its scores, float64 [K] by head."""


class SourceScores:
    """Scores a source. A step's score is the mean over the windows that cover it, and given when it will not change.

    Args:
        begin_pass: Begins a pass, without anything before it.
        decode: JPEGs -> uint8 RGB [n, H, W, 3], as the model takes them.
        plan: Length and hop of windows.
    """

    def __init__(
        self,
        begin_pass: Callable[[], FramePass],
        decode: Callable[[Sequence[bytes]], np.ndarray],
        plan: WindowPlan,
    ) -> None:
        self._begin_pass = begin_pass
        self._decode = decode
        self._plan = plan
        self._pass: FramePass | None = None
        self._first_arrival: float | None = None
        self._first_step = 0  # of the pass
        self._num_steps = 0  # of the pass
        self._waiting: list[bytes] = []
        self._sums: dict[int, list[np.ndarray]] = {}  # by step of the pass, the scores of its windows, heads joined
        self._heads: list[tuple[str, int]] = []
        self.next_step = 0
        self.newest: dict[str, np.ndarray] = {}

    def push(self, frame: LiveFrame) -> tuple[int, list[StepScore]]:
        """Takes the next frame.

        Returns:
            The step of the frame, and the steps whose scores have become known.
        """
        settled = self._break(frame) if frame.is_fresh or self._pass is None else []
        step = self.next_step
        self.next_step += 1
        self._waiting.append(frame.jpeg)
        if len(self._waiting) == self._plan.hop_steps:  # chunks of one size: each new size is traced anew
            settled += self._score()
        return step, settled

    def finish(self) -> list[StepScore]:
        """The scores of all steps that have any, when no more frames come."""
        self._waiting.clear()
        return self._settle(self._num_steps)

    def step_at(self, seconds: float) -> int:
        """The step at a time.

        Args:
            seconds: Since 1970.
        """
        if self._first_arrival is None:
            return 0
        return max(int((seconds - self._first_arrival) / self._plan.step_seconds + 1e-6), 0)

    def _break(self, frame: LiveFrame) -> list[StepScore]:
        settled = self.finish()
        if self._first_arrival is None:
            self._first_arrival = frame.arrival
        self.next_step = max(self.next_step, self.step_at(frame.arrival))
        self._first_step, self._num_steps = self.next_step, 0
        self._pass = self._begin_pass()
        return settled

    def _score(self) -> list[StepScore]:
        if self._pass is None:
            return []
        scored = self._pass.push(self._decode(self._waiting))
        self._num_steps += len(self._waiting)
        self._waiting.clear()
        for row, window in enumerate(scored.windows):
            self._add(window, {head: values[row] for head, values in scored.scores.items()})
        num_full = self._num_steps - self._plan.num_frames
        hop = self._plan.hop_steps
        return self._settle((num_full // hop + 1) * hop if num_full >= 0 else 0)

    def _add(self, window: Window, scores: dict[str, np.ndarray]) -> None:
        self.newest = scores
        self._heads = [(head, len(values)) for head, values in scores.items()]
        joined = np.concatenate([np.asarray(values, np.float64) for values in scores.values()])
        for step in range(window.count_from, window.count_to):
            self._sums.setdefault(step, []).append(joined)

    def _settle(self, end_step: int) -> list[StepScore]:
        steps = sorted(step for step in self._sums if step < end_step)
        return [(self._first_step + step, self._split(self._sums.pop(step))) for step in steps]

    def _split(self, scores: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        mean = np.round(np.mean(scores, axis=0), DECIMALS)
        ends = np.cumsum([count for _, count in self._heads])[:-1]
        return dict(zip([head for head, _ in self._heads], np.split(mean, ends), strict=True))
