"""One source at work: its camera, its scores, its events."""

from __future__ import annotations

import time

import numpy as np

from vidmodel_tf.live.damaged_pictures import DamagedPictures
from vidmodel_tf.live.event_log import EventLog
from vidmodel_tf.live.event_reporter import EventReporter
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.repeated_pictures import RepeatedPictures
from vidmodel_tf.live.source_scores import NewScores, SourceScores
from vidmodel_tf.video.camera import Camera, CameraNews

FRAMES_A_TURN = 32  # of one source, before another has its turn


class WatchedSource:
    """Moves what a camera gives through the model to the log.

    Args:
        name: Of the source.
        camera: Running.
        scores: Turns its frames into scores.
        ring: Gets its frames.
        reporter: Gets its scores.
        repeats: Looks at its frames.
        damage: Counts what was damaged.
        log: Gets the lines about the connection.
    """

    def __init__(
        self,
        name: str,
        camera: Camera,
        scores: SourceScores,
        ring: FrameRing,
        reporter: EventReporter,
        repeats: RepeatedPictures,
        damage: DamagedPictures,
        log: EventLog,
    ) -> None:
        self.name = name
        self._camera, self._scores, self._ring = camera, scores, ring
        self._reporter, self._repeats, self._damage, self._log = reporter, repeats, damage, log
        self._is_finished = False

    @property
    def is_ended(self) -> bool:
        """Whether it was a file, and all of it has been scored."""
        return self._is_finished

    @property
    def newest_frame(self) -> bytes | None:
        """JPEG."""
        return self._ring.newest

    @property
    def newest_scores(self) -> dict[str, np.ndarray]:
        """[K] by head, of the newest window; empty before the first."""
        return self._scores.newest

    def work(self) -> bool:
        """Does what there is to do, not too much at a time.

        Returns:
            Whether there is more to do at once.
        """
        if self._is_finished:
            return False
        # Before the frames are taken: some may come until after.
        is_ended, is_connected = self._camera.is_ended, self._camera.is_connected
        news, frames = self._camera.take(FRAMES_A_TURN)
        for item in news:
            self._tell(item)
        for frame in frames:
            step, scores = self._scores.push(frame)
            self._ring.push(step, frame.jpeg)
            self._repeats.push(frame.jpeg)
            self._reporter.push(scores, time.time())
        self._damage.push(self._camera.num_corrupt, time.monotonic())
        if is_ended and not frames:
            self.finish("ended")
        elif not frames and not is_connected:
            self._pass_over()
        return len(frames) == FRAMES_A_TURN

    def finish(self, reason: str) -> None:
        """Ends what is open; frames that wait for a full hop are not scored. May be called twice."""
        if not self._is_finished:
            self._is_finished = True
            self._settle()
            self._reporter.finish(time.time(), reason)

    def _settle(self) -> None:
        self._reporter.push(NewScores([], self._scores.finish()), time.time())

    def _pass_over(self) -> None:
        """While nothing comes, time goes on."""
        self._settle()
        step = self._scores.step_at(time.time()) - 1
        if step >= self._scores.next_step:
            self._scores.next_step = step + 1
            self._reporter.pass_over(step, time.time())

    def _tell(self, news: CameraNews) -> None:
        if news.kind == "dropped":
            self._log.write(
                self.name,
                "dropped",
                what="frames",
                seconds=round(news.seconds, 3),
                total_seconds=round(self._camera.dropped_seconds, 3),
                reason="the model is slower than the sources",
            )
        elif news.kind == "lost":
            self._log.write(self.name, "lost", reason=news.reason)
        elif news.kind == "connected":
            self._log.write(self.name, "connected")
        elif news.reason:  # a file that cannot be read
            self._log.write(self.name, "lost", reason=news.reason)
