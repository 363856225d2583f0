"""Reads the frames of a long video in a process of its own: a file that hangs or crashes a decoder ends that process.

Frames come as the JPEGs that a data set would store, for the model was trained on such.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from vidmodel_tf.config import PrepareConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.scoring.windows import WindowPlan
from vidmodel_tf.timelines.worker_process import Tell, WorkerProcess, alive
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.grid import pictures_at
from vidmodel_tf.video.losses import REFUSED_SHARE, TOLD_SHARE
from vidmodel_tf.video.pixels import PixelConverter
from vidmodel_tf.video.stored_frame import encode_frame, reduce_frame

QUEUE_LENGTH = 64  # frames that may wait for the model


@dataclasses.dataclass(frozen=True)
class OpenedVideo:
    """What is known of a video before its pictures are decoded.

    Attributes:
        duration_seconds: From the container's second 0 to the end of the last picture, to the millisecond.
        num_frames: Pictures, as the container lists them.
        can_begin_late: Whether reading can begin at any step without decoding all that comes before.
        warnings: What was assumed where its times make no sense.
    """

    duration_seconds: float
    num_frames: int
    can_begin_late: bool
    warnings: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class StepFrame:
    """The frame of one step.

    Attributes:
        step: Its number.
        jpeg: At stored size.
        width: Of the video, pixels, upright.
        height: Likewise.
        num_refused: Packets that could not be decoded so far.
    """

    step: int
    jpeg: bytes
    width: int
    height: int
    num_refused: int


@dataclasses.dataclass(frozen=True)
class ReadEnd:
    """The video was read to its end.

    Attributes:
        num_refused: Packets that could not be decoded.
        num_packets: All of them.
    """

    num_refused: int
    num_packets: int


Item = OpenedVideo | StepFrame | ReadEnd | Exception  # what comes from the process


class StepReader:
    """Reads one video. A context manager that ends the process.

    Args:
        path: The file.
        plan: Which frames.
        prepare: The settings by which the model's clips were stored.
        first_step: Steps before it are not read.
        num_refused: Packets that could not be decoded when the steps before were read.

    Raises:
        InputError: It is not a video, its decoder hangs or crashes, or more than half of it cannot be decoded.
    """

    def __init__(
        self, path: Path, plan: WindowPlan, prepare: PrepareConfig, first_step: int = 0, num_refused: int = 0
    ) -> None:
        self._path = path
        arguments = (path, plan, prepare.short_side, prepare.jpeg_quality, first_step)
        self._worker = WorkerProcess(path, prepare.timeout_seconds, _read, *arguments)
        self._queue: queue.Queue[Item] = queue.Queue(QUEUE_LENGTH)
        self._is_closed = threading.Event()
        threading.Thread(target=self._receive, daemon=True).start()
        self.video = cast(OpenedVideo, self._take())
        self.warnings = self.video.warnings  # with those of decoding, once all frames were taken
        self._has_frames = first_step > 0
        self._num_refused_before = self.num_refused = num_refused

    def __iter__(self) -> Iterator[StepFrame]:
        """The frames of the steps, in order, to the end of the video."""
        while isinstance(item := self._take(), StepFrame):
            self.num_refused = self._num_refused_before + item.num_refused
            self._has_frames = True
            yield item
        self._check_losses(cast(ReadEnd, item))

    def close(self) -> None:
        """Ends the process. May be called twice."""
        self._is_closed.set()
        self._worker.close()

    def __enter__(self) -> StepReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check_losses(self, end: ReadEnd) -> None:
        num_refused = self._num_refused_before + end.num_refused
        if not self._has_frames:
            raise InputError("no frame of this video can be decoded: it is damaged or cut off", subject=self._path)
        share = num_refused / end.num_packets
        if share > REFUSED_SHARE:
            raise InputError(
                f"{num_refused} of its {end.num_packets} frames cannot be decoded: it is damaged", subject=self._path
            )
        if share > TOLD_SHARE:
            self.warnings += (f"{share:.0%} of its frames could not be decoded: it is damaged",)

    def _receive(self) -> None:
        while not self._is_closed.is_set():
            item = self._receive_one()
            self._put(item)
            if isinstance(item, ReadEnd | Exception):
                return

    def _receive_one(self) -> Item:
        try:
            return self._worker.receive()
        except Exception as error:  # whoever takes it would wait for ever
            return error

    def _put(self, item: Item) -> None:
        while not self._is_closed.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.2)
                return

    def _take(self) -> OpenedVideo | StepFrame | ReadEnd:
        item = self._queue.get()
        if isinstance(item, Exception):
            self.close()
            raise item
        return item


def _read(tell: Tell, path: Path, plan: WindowPlan, short_side: int, jpeg_quality: int, first_step: int) -> None:
    with VideoFile(path, on_packet=alive(tell)) as video:
        for item in _steps(video, plan, short_side, jpeg_quality, first_step):
            tell(item)
        tell(ReadEnd(video.num_refused, len(video.packets)))


def _steps(
    video: VideoFile, plan: WindowPlan, short_side: int, jpeg_quality: int, first_step: int
) -> Iterator[OpenedVideo | StepFrame]:
    timeline = video.timeline(video.packets)
    if not len(timeline.keys):
        raise InputError("no frame of this video can be decoded: it is damaged or cut off", subject=video.path)
    duration_seconds = round(float(timeline.seconds[0]) + timeline.duration_seconds, 3)
    yield OpenedVideo(duration_seconds, len(timeline.keys), video.packets.has_trusted_times, timeline.notes)
    # One at least: it tells the size.
    times, converter = plan.frame_times(0, max(plan.count_steps(duration_seconds), 1)), PixelConverter()
    last_picture, jpeg, width, height = None, b"", 0, 0
    for step, picture in pictures_at(video, times, first_step):
        if picture is not last_picture:
            pixels = converter.to_bgr(picture)
            height, width = pixels.shape[:2]
            jpeg, last_picture = encode_frame(reduce_frame(pixels, short_side), jpeg_quality), picture
        yield StepFrame(step, jpeg, width, height, video.num_refused)
