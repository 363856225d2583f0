"""The picture and the cut of each event of one source, in a folder of its own. A thread writes the cuts."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np

from vidmodel_tf.errors import VidmodelError
from vidmodel_tf.live.frame_ring import FrameRing
from vidmodel_tf.live.work_queue import WorkQueue
from vidmodel_tf.scoring.event import Event
from vidmodel_tf.storage import atomic_write
from vidmodel_tf.video.opencv import import_opencv

CUT_SECONDS = 60.0  # the longest cut; of a longer event it shows the beginning
RING_SECONDS = 2 * CUT_SECONDS
_TICKS = 90_000  # a second


class EventFiles:
    """Writes `FOLDER/events/SOURCE/ID.jpg` and `ID.mp4`.

    What cannot be written is told, and the event goes on without it.

    Args:
        folder: Of the whole watch.
        source: The name of the source.
        ring: Its newest frames.
        step_seconds: From a frame to the next.
        cuts: Writes the cuts.
        warn: Told of what cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        ring: FrameRing,
        step_seconds: float,
        cuts: WorkQueue,
        warn: Callable[[str], None],
    ) -> None:
        self._folder, self._place = folder, Path("events") / source
        self._ring, self._step_seconds, self._cuts, self._warn = ring, step_seconds, cuts, warn
        self._pictures: dict[str, float] = {}  # by event, the second that its picture shows
        self._with_cut: set[str] = set()

    def start(self, event: Event) -> dict[str, object]:
        """Writes the picture of an event that has begun; the fields of its log line."""
        return self._write_picture(event)

    def update(self, event: Event) -> None:
        """Cuts an event that has become as long as a cut may be."""
        if event.end_seconds - event.start_seconds >= CUT_SECONDS:
            self._write_cut(event)

    def end(self, event: Event) -> dict[str, object]:
        """Writes picture and cut of an event; the fields of its log line. The cut is there a little later."""
        self._write_cut(event)
        fields = self._write_picture(event)
        cut = {"cut": str(self._place / f"{event.id}.mp4")} if event.id in self._with_cut else {}
        self._pictures.pop(event.id, None)
        self._with_cut.discard(event.id)
        return fields | cut

    def _write_picture(self, event: Event) -> dict[str, object]:
        name = self._place / f"{event.id}.jpg"
        if self._pictures.get(event.id) != event.peak_seconds:
            jpeg = self._ring.nearest(round(event.peak_seconds / self._step_seconds))
            if jpeg is not None and self._write(name, jpeg):
                self._pictures[event.id] = event.peak_seconds
        return {"picture": str(name)} if event.id in self._pictures else {}

    def _write(self, name: Path, jpeg: bytes) -> bool:
        try:
            with atomic_write(self._folder / name) as beside:
                beside.write_bytes(jpeg)
        except OSError as error:
            self._warn(f"{self._folder / name} cannot be written ({error.strerror})")
            return False
        return True

    def _write_cut(self, event: Event) -> None:
        if event.id in self._with_cut:
            return
        end_seconds = min(event.end_seconds, event.start_seconds + CUT_SECONDS)
        first, end = (seconds / self._step_seconds for seconds in (event.start_seconds, end_seconds))
        frames = self._ring.between(math.floor(first + 1e-6), math.ceil(end - 1e-6))
        path = self._folder / self._place / f"{event.id}.mp4"
        if not frames:
            return
        write = partial(write_cut, path, frames, self._step_seconds, self._cuts.stop)
        if self._cuts.put(write, lambda reason: self._warn(f"{path} was not written: {reason}")):
            self._with_cut.add(event.id)


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
