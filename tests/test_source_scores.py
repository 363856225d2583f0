"""What becomes known of a source, frame by frame, with a model that only counts windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from vidmodel_tf.live.source_scores import NewScores, SourceScores
from vidmodel_tf.scoring.step_scores import StepScore
from vidmodel_tf.scoring.windows import Window, WindowPlan, WindowPlanner
from vidmodel_tf.video.camera import LiveFrame


@dataclass(frozen=True)
class Scored:
    windows: tuple[Window, ...]
    scores: dict[str, np.ndarray]


class Counting:
    """The score of a window is the mean of the numbers of its frames, in hundredths."""

    def __init__(self, plan: WindowPlan) -> None:
        self._planner, self._size, self._numbers = WindowPlanner(plan), plan.num_frames, []

    def push(self, frames: np.ndarray) -> Scored:
        self._numbers += frames.tolist()
        windows = self._planner.advance(len(self._numbers), len(self._numbers))
        means = [np.mean(self._numbers[window.first_step : window.first_step + self._size]) for window in windows]
        return Scored(tuple(windows), {"h": np.array(means, np.float32).reshape(-1, 1) / 100})


def decode(jpegs: Sequence[bytes]) -> np.ndarray:
    return np.array([int(jpeg) for jpeg in jpegs])


def source(num_frames: int, hop_steps: int) -> SourceScores:
    plan = WindowPlan(num_frames, num_frames, float(num_frames), hop_steps)
    return SourceScores(lambda: Counting(plan), decode, plan, {"h": ["a"]})


def known(scores: Sequence[StepScore]) -> dict[int, float]:
    return {step: float(by_head["h"][0]) for step, by_head in scores}


def push(scores: SourceScores, second: int, *, is_fresh: bool = False) -> NewScores:
    return scores.push(LiveFrame(1000.0 + second, is_fresh, b"%d" % second))[1]


def test_each_step_is_known_when_a_window_covers_it_and_when_all_that_do_are_known():
    """Windows of 4 seconds every 2: seconds 0 to 3 have the mean 0.015, 2 to 5 0.035, 4 to 7 0.055."""
    scores = source(num_frames=4, hop_steps=2)
    told = [push(scores, second, is_fresh=not second) for second in range(8)]
    assert [known(new.newest) for new in told] == [
        {},
        {},
        {},
        {0: 0.015, 1: 0.015, 2: 0.015, 3: 0.015},
        {},
        {4: 0.035, 5: 0.035},
        {},
        {6: 0.055, 7: 0.055},
    ]
    assert [known(new.settled) for new in told[3::2]] == [
        {0: 0.015, 1: 0.015},
        {2: 0.025, 3: 0.025},
        {4: 0.045, 5: 0.045},
    ]
    assert known(scores.finish()) == {6: 0.055, 7: 0.055}


@pytest.mark.parametrize(("size", "hop"), [(1, 1), (4, 1), (4, 3), (4, 4), (5, 2), (8, 2)])
def test_every_step_is_told_once_of_each_kind_and_the_newest_never_later(size, hop):
    scores, newest, settled = source(size, hop), {}, {}
    for second in range(41):
        new = push(scores, second, is_fresh=second in (0, 20))
        for values, told in ((newest, known(new.newest)), (settled, known(new.settled))):
            assert not values.keys() & told.keys()
            values |= told
        assert settled.keys() <= newest.keys()
    settled |= known(scores.finish())
    assert settled.keys() == newest.keys()
    for begin, end in ((0, 20), (20, 41)):  # no window mixes what was before the break with what came after
        starts = range(begin, end - size + 1, hop)
        starts = [start for start in starts if -(-(start - begin + size) // hop) * hop <= end - begin]
        for second in range(begin, end):
            covering = [start + (size - 1) / 2 for start in starts if start <= second < start + size]
            if covering:
                assert settled[second] == pytest.approx(np.mean(covering) / 100, abs=1e-4)
                assert newest[second] == pytest.approx(min(covering) / 100, abs=1e-4)
            else:
                assert second not in newest


def test_what_comes_after_an_end_begins_anew():
    scores = source(num_frames=2, hop_steps=1)
    push(scores, 0)
    assert known(push(scores, 1).newest) == {0: 0.005, 1: 0.005}
    assert known(scores.finish()) == {1: 0.005}
    assert push(scores, 2).newest == []
    assert known(push(scores, 3).newest) == {2: 0.025, 3: 0.025}
