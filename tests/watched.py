"""A model of Python alone for tests of watching: a clip is a fight while the number painted into its frames is odd
in hundreds (100 to 199, 300 to 399, ...)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.videos import read_frame_number, read_jpeg
from vidmodel_tf.live.watching import LiveModel
from vidmodel_tf.scoring.windows import Window, WindowPlan, WindowPlanner

LABELS = {"label": ("calm", "fight")}
PLAN = WindowPlan(num_frames=4, num_stored_frames=8, window_seconds=0.48, hop_steps=1)


@dataclass(frozen=True)
class FakeScored:
    windows: tuple[Window, ...]
    scores: dict[str, np.ndarray]


class FakePass:
    """Scores windows as the real pass does; the score of a window is the share of its frames that show a fight."""

    def __init__(self, plan: WindowPlan = PLAN) -> None:
        self._plan, self._planner = plan, WindowPlanner(plan)
        self.numbers: list[int] = []

    def push(self, frames: np.ndarray) -> FakeScored:
        self.numbers += [read_frame_number(frame) for frame in frames]
        windows = self._planner.advance(len(self.numbers), len(self.numbers))
        size, is_fight = self._plan.num_frames, np.array(self.numbers) // 100 % 2 == 1
        fights = [np.mean(is_fight[window.first_step : window.first_step + size]) for window in windows]
        return FakeScored(tuple(windows), {"label": np.array([[1 - fight, fight] for fight in fights])})


def decode(jpegs: Sequence[bytes]) -> np.ndarray:
    """JPEGs as the fake model takes them."""
    return np.stack([read_jpeg(jpeg) for jpeg in jpegs])


MODEL = LiveModel(FakePass, decode, LABELS, PLAN, short_side=48, jpeg_quality=95)
