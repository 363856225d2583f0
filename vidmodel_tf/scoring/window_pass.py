"""One pass of a model over frames that come one after the other: each is encoded once, windows are slices of that."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.scoring.shots import CutDetector
from vidmodel_tf.scoring.windows import Window, WindowPlan, WindowPlanner

Words = Callable[[float, float], str]
"""The joined words of a range of seconds (`text.fields.join_fields`)."""

WINDOWS_AT_ONCE = 32


@dataclasses.dataclass(frozen=True, eq=False)
class ScoredWindows:
    """Windows and what the model says of them.

    Attributes:
        windows: B of them.
        scores: float32 [B, K] by head.
    """

    windows: tuple[Window, ...]
    scores: Scores


class WindowPass:
    """Scores the windows of one video or stream.

    Args:
        form: The model, opened.
        plan: Length and hop of windows.
        words: The words of a range.
        finds_cuts: Whether windows do not cross cuts.
    """

    def __init__(self, form: Form, plan: WindowPlan, words: Words, *, finds_cuts: bool) -> None:
        self._form = form
        self._plan = plan
        self._words = words
        self._planner = WindowPlanner(plan)
        self._detector = CutDetector() if finds_cuts else None
        self._features: np.ndarray | None = None  # [n, ...] of the steps from `_first_kept` on
        self._first_kept = 0
        self._previous: np.ndarray | None = None
        self.num_steps = 0
        self.cuts: list[int] = []

    def push(self, frames: np.ndarray) -> ScoredWindows:
        """Encodes the next frames and scores the windows that have become complete.

        Args:
            frames: uint8 RGB [n, H, W, 3], one a step.
        """
        previous = None if self._previous is None else self._previous[np.newaxis]
        features = self._form.encode(frames[np.newaxis], previous)[0]
        self._features = features if self._features is None else np.concatenate([self._features, features])
        self._previous = frames[-1].copy()
        self.num_steps += len(frames)
        new_cuts = self._detector.push(frames) if self._detector else []
        self.cuts += new_cuts
        scored = self._score(self._planner.advance(self.num_steps, self._num_settled, new_cuts))
        self._forget(self._planner.first_needed(self._num_settled))
        return scored

    def finish(self) -> ScoredWindows:
        """Scores what is left at the end of a video; nothing if the whole is shorter than a window."""
        new_cuts = self._detector.finish() if self._detector else []
        self.cuts += new_cuts
        windows = self._planner.advance(self.num_steps, self.num_steps, new_cuts)
        return self._score([*windows, *self._planner.finish(self.num_steps)])

    @property
    def _num_settled(self) -> int:
        return self._detector.num_settled if self._detector else self.num_steps

    def _score(self, windows: Sequence[Window]) -> ScoredWindows:
        batches = [
            self._classify(windows[first : first + WINDOWS_AT_ONCE])
            for first in range(0, len(windows), WINDOWS_AT_ONCE)
        ]
        heads = self._form.run.labels
        scores = {head: np.concatenate([batch[head] for batch in batches]) for head in heads} if batches else {}
        return ScoredWindows(tuple(windows), scores)

    def _classify(self, windows: Sequence[Window]) -> Scores:
        num_frames, step_seconds = self._plan.num_frames, self._plan.step_seconds
        features = np.stack(
            [self._features_from(window.first_step - self._first_kept, num_frames) for window in windows]
        )
        words = [
            self._words(window.first_step * step_seconds, (window.first_step + num_frames) * step_seconds)
            for window in windows
        ]
        return self._form.classify(self._form.as_clips(features), words)

    def _features_from(self, row: int, num_frames: int) -> np.ndarray:
        if self._features is None or row < 0 or row + num_frames > len(self._features):
            raise AssertionError(f"a window needs steps that are not kept ({row} of {self._first_kept})")
        return self._features[row : row + num_frames]

    def _forget(self, first_needed: int) -> None:
        if self._features is not None and first_needed > self._first_kept:
            self._features = self._features[first_needed - self._first_kept :].copy()
            self._first_kept = first_needed

    def state(self) -> dict[str, np.ndarray]:
        """All that it remembers, for `restore`."""
        differences, picture = self._detector.state() if self._detector else ([], None)
        arrays = {"features": self._features, "previous": self._previous, "picture": picture}
        return {
            "steps": np.array([self.num_steps, self._first_kept], np.int64),
            "planner": np.array(self._planner.state(), np.int64),
            "cuts": np.array(self.cuts, np.int64),
            "differences": np.array(differences, np.float64),
            **{name: array for name, array in arrays.items() if array is not None},
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a `state`."""
        self.num_steps, self._first_kept = state["steps"].tolist()
        self._planner.restore(state["planner"].tolist())
        self.cuts = state["cuts"].tolist()
        self._features, self._previous = state.get("features"), state.get("previous")
        if self._detector:
            self._detector.restore((state["differences"].tolist(), state.get("picture")))
