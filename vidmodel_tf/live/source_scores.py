"""Frames of one source -> scores of steps, counted from its first frame over every loss and jump."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from vidmodel_tf.scoring.step_scores import StepScore, StepScores
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


@dataclasses.dataclass(frozen=True, eq=False)
class NewScores:
    """What has become known, each by ascending steps, rounded as `TimedScores` has it.

    Attributes:
        newest: What the newest window says of the steps that no window before it covers.
        settled: The mean over all windows that cover a step: it will not change.
    """

    newest: list[StepScore]
    settled: list[StepScore]


class SourceScores:
    """Scores a source, each step twice: as soon as a window covers it, and when all that cover it are known.

    Args:
        begin_pass: Begins a pass, without anything before it.
        decode: JPEGs -> uint8 RGB [n, H, W, 3], as the model takes them.
        plan: Length and hop of windows.
        labels: Class names by head.
    """

    def __init__(
        self,
        begin_pass: Callable[[], FramePass],
        decode: Callable[[Sequence[bytes]], np.ndarray],
        plan: WindowPlan,
        labels: Mapping[str, Sequence[str]],
    ) -> None:
        self._begin_pass = begin_pass
        self._decode = decode
        self._plan = plan
        self._num_classes = {head: len(names) for head, names in labels.items()}
        self._pass: FramePass | None = None
        self._first_arrival: float | None = None
        self._first_step = 0  # of the pass
        self._num_steps = 0  # of the pass
        self._num_covered = 0  # of the pass
        self._waiting: list[bytes] = []
        self._means = StepScores(self._num_classes)  # by step of the pass
        self.next_step = 0
        self.newest: dict[str, np.ndarray] = {}

    def push(self, frame: LiveFrame) -> tuple[int, NewScores]:
        """Takes the next frame.

        Returns:
            The step of the frame, and the scores that have become known.
        """
        settled = self._break(frame) if frame.is_fresh or self._pass is None else []
        step = self.next_step
        self.next_step += 1
        self._waiting.append(frame.jpeg)
        if len(self._waiting) < self._plan.hop_steps:  # chunks of one size: each new size is traced anew
            return step, NewScores([], settled)
        newest = self._score()
        return step, NewScores(newest, settled + self._settle(self._end_of_settled()))

    def finish(self) -> list[StepScore]:
        """The means of all steps that have any, when no more frames come; one that comes all the same begins a pass."""
        self._waiting.clear()
        self._pass = None
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
        self._first_step, self._num_steps, self._num_covered = self.next_step, 0, 0
        self._means = StepScores(self._num_classes)
        self._pass = self._begin_pass()
        return settled

    def _score(self) -> list[StepScore]:
        if self._pass is None:
            return []
        scored = self._pass.push(self._decode(self._waiting))
        self._num_steps += len(self._waiting)
        self._waiting.clear()
        self._means.add(scored.windows, scored.scores)
        newest = []
        for row, window in enumerate(scored.windows):
            self.newest = {head: np.asarray(values[row], np.float64) for head, values in scored.scores.items()}
            newest += [(step, self.newest) for step in range(self._num_covered, window.count_to)]
            self._num_covered = window.count_to
        return self._of_source(newest)

    def _end_of_settled(self) -> int:
        """Of the pass: no later window covers a step before this one."""
        num_full, hop = self._num_steps - self._plan.num_frames, self._plan.hop_steps
        return (num_full // hop + 1) * hop if num_full >= 0 else 0

    def _settle(self, end_step: int) -> list[StepScore]:
        return self._of_source(self._means.take(end_step))

    def _of_source(self, scores: Sequence[StepScore]) -> list[StepScore]:
        return [
            (self._first_step + step, {head: np.round(values, DECIMALS) for head, values in by_head.items()})
            for step, by_head in scores
        ]
