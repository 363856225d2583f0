"""A source at work whose camera changes while it is looked at."""

from __future__ import annotations

from typing import cast
from unittest import mock

import pytest

from vidmodel_tf.live.damaged_pictures import DamagedPictures
from vidmodel_tf.live.source_scores import NewScores
from vidmodel_tf.live.watched_source import WatchedSource
from vidmodel_tf.video.camera import Camera, CameraNews, LiveFrame


class CameraThatEnds:
    """It gives nothing, then the last there is, and has ended between the two."""

    is_connected, is_ended, num_corrupt = True, False, 3

    def __init__(self, news: list[CameraNews], frames: list[LiveFrame]) -> None:
        self._last = news, frames

    def take(self, max_frames: int) -> tuple[list[CameraNews], list[LiveFrame]]:
        given = self._last if self.is_ended else ([], [])
        self._last = self._last if not self.is_ended else ([], [])
        self.is_ended = True
        return given


@pytest.fixture
def log():
    return mock.Mock()


@pytest.fixture
def scores():
    return mock.Mock(push=mock.Mock(return_value=(0, NewScores([], []))), finish=mock.Mock(return_value=[]))


def watched(camera: CameraThatEnds, scores: mock.Mock, log: mock.Mock) -> WatchedSource:
    ring, reporter, repeats = (mock.Mock() for _ in range(3))
    damage = DamagedPictures("door", log.warn)
    return WatchedSource("door", cast(Camera, camera), scores, ring, reporter, repeats, damage, log)


def test_the_last_frames_and_the_reason_are_not_missed(scores, log):
    frame = LiveFrame(0.0, True, b"jpeg")
    source = watched(CameraThatEnds([CameraNews("ended", "it broke")], [frame]), scores, log)
    while not source.is_ended:
        source.work()
    scores.push.assert_called_once_with(frame)
    log.write.assert_called_once_with("door", "lost", reason="it broke")


def test_damage_is_told(scores, log):
    watched(CameraThatEnds([], []), scores, log).work()
    assert "3 packets or pictures were damaged or incomplete" in log.warn.call_args.args[0]
