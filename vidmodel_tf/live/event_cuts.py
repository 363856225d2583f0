"""The cuts of the events of one source: each waits until its last frame has come; a thread writes it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.work_queue import WorkQueue
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.scoring.rule import Rule
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.video.opencv import import_opencv

CUT_SECONDS = 60.0  # the longest cut; of a longer event it shows the beginning
LONGEST_RING_SECONDS = 600.0  # some 100 MB a source
_TICKS = 90_000  # a second


def ring_seconds(rules: Sequence[Rule], window_seconds: float) -> float:
    """For how long frames have to be kept, so that an event has its first when it is cut; ten minutes at most.

    Args:
        rules: What the events are.
        window_seconds: Scores are known so long after their frames.

    Example:
        >>> rule = Rule(name="fight", head="label", label="fight", min_seconds=70, gap_seconds=5, pad_seconds=(3, 0))
        >>> ring_seconds([rule], window_seconds=2.0)
        157.0
    """
    # A false start waits for an event of the mean that may still confirm it: at most one that is not long enough yet.
    until_told = [
        max(CUT_SECONDS, rule.pad_seconds[0] + rule.min_seconds) + rule.min_seconds + 2 * rule.gap_seconds
        for rule in rules
    ]
    return min(max(until_told, default=CUT_SECONDS) + 2 * window_seconds, LONGEST_RING_SECONDS)


class EventCuts:
    """Writes `ID.mp4`, and tells where a cut is not whole.

    Args:
        folder: Of the cuts.
        ring: The newest frames of the source.
        step_seconds: From a frame to the next.
        queue: Writes the cuts.
        warn: Told.
    """

    def __init__(
        self, folder: Path, ring: FrameRing, step_seconds: float, queue: WorkQueue, warn: Callable[[str], None]
    ) -> None:
        self._folder, self._ring, self._step_seconds = folder, ring, step_seconds
        self._queue, self._warn = queue, warn
        self._waiting: dict[str, tuple[int, int]] = {}  # by event, steps
        self._is_cut: dict[str, bool] = {}  # by event that goes on, whether its cut is written or waits
        self._end_step = 0

    def pass_to(self, end_step: int) -> None:
        """Says that no frames before a step will come any more, and writes the cuts that wait for none."""
        self._end_step = max(end_step, self._ring.end_step)
        for event_id in [event_id for event_id, (_, end) in self._waiting.items() if end <= self._end_step]:
            self._write(event_id)

    def update(self, event: Event) -> None:
        """Notes that an event goes on: its cut is as long as a cut may be."""
        if event.end_seconds - event.start_seconds >= CUT_SECONDS:
            self._want(event)

    def end(self, event: Event) -> bool:
        """Notes that an event is over.

        Returns:
            Whether there is a cut, or will be a little later.
        """
        self._want(event)
        return self._is_cut.pop(event.id)

    def finish(self) -> None:
        """Writes what waits: no more frames come."""
        for event_id, (_, end) in list(self._waiting.items()):
            seconds = (end - self._end_step) * self._step_seconds
            self._warn(f"{self._path(event_id)} ends {seconds:.1f} seconds early: the watch ended")
            self._write(event_id)

    def _want(self, event: Event) -> None:
        if event.id in self._is_cut:
            return
        end_seconds = min(event.end_seconds, event.start_seconds + CUT_SECONDS)
        first, end = (seconds / self._step_seconds for seconds in (event.start_seconds, end_seconds))
        self._waiting[event.id] = math.floor(first + 1e-6), math.ceil(end - 1e-6)
        self._is_cut[event.id] = True
        self.pass_to(self._end_step)

    def _write(self, event_id: str) -> None:
        first, end = self._waiting.pop(event_id)
        path, frames = self._path(event_id), self._ring.between(first, end)
        if not frames:
            self._warn(f"{path} was not written: no pictures of that time are left")
        elif self._ring.has_lost(first):
            seconds = (frames[0][0] - first) * self._step_seconds
            self._warn(f"{path} begins {seconds:.1f} seconds late: earlier pictures are not kept for so long")
        write = partial(write_cut, path, frames, self._step_seconds, self._queue.stop)
        is_queued = bool(frames) and self._queue.put(write, lambda why: self._warn(f"{path} was not written: {why}"))
        if event_id in self._is_cut:
            self._is_cut[event_id] = is_queued

    def _path(self, event_id: str) -> Path:
        return self._folder / f"{event_id}.mp4"


def write_cut(path: Path, frames: list[tuple[int, bytes]], step_seconds: float, stop: threading.Event) -> None:
    """Writes frames as a video, H.264 in MP4, whole or not at all.

    Args:
        path: Of the video.
        frames: Steps, ascending, and JPEGs of one size.
        step_seconds: From a step to the next.
        stop: Where this is set, nothing is written.
    """
    with atomic_write(path) as beside:
        _encode(beside, frames, step_seconds, stop)
        if stop.is_set():
            raise VidmodelError("the watch ended")


def _encode(path: Path, frames: list[tuple[int, bytes]], step_seconds: float, stop: threading.Event) -> None:
    first_step, height, width = frames[0][0], *_pixels(frames[0][1]).shape[:2]
    width, height = width - width % 2, height - height % 2  # what H.264 can have
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(1 / step_seconds).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = 1
        for step, jpeg in frames:
            if stop.is_set():
                return
            pixels = _pixels(jpeg)[:height, :width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
            frame.pts = round((step - first_step) * step_seconds * _TICKS)
            frame.time_base = Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _pixels(jpeg: bytes) -> np.ndarray:
    cv2 = import_opencv()
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
