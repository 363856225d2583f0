"""One pass over a video file, front to back, by OpenCV's FFmpeg backend: every timestamp, and the frames asked for.

`grab` (decode) for every frame, `retrieve` (convert) only for those wanted, which are reduced and kept as JPEG at
once: memory is that of the JPEGs, whatever the length of the video.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.video.opencv import import_opencv

DEFAULT_FPS = 25.0  # of a file that tells neither timestamps nor a rate
MAX_FPS = 1000.0  # beyond, it is the container's clock (90000 in MPEG streams of variable rate)


@dataclass(frozen=True)
class Claims:
    """What a container says of its video. The rotation is a fact; lengths and rates are hints.

    Args:
        num_frames: Of any value: 0, negative, or made up from a duration.
        fps: Likewise.
        clockwise_degrees: Turn to make before display.
        codec: Four characters.
    """

    num_frames: float
    fps: float
    clockwise_degrees: int
    codec: str

    @property
    def frame_seconds(self) -> float:
        """Seconds a frame at the claimed rate, or at a usual one where the claim is absurd."""
        return 1 / (self.fps if 1 / MAX_FPS <= self.fps <= MAX_FPS else DEFAULT_FPS)

    @property
    def duration_seconds(self) -> float:
        """0 where none is claimed. In MPEG streams rate and count are both absurd, their quotient is not."""
        return self.num_frames / self.fps if self.num_frames > 0 and self.fps > 0 else 0.0


@dataclass
class Reading:
    """What one pass has found.

    Args:
        claims: See there.
        timestamps_seconds: Of every frame read, from the first frame, as the container gives them.
        jpegs: By frame index.
        width: Pixels, upright, before frames are reduced; 0 while none was converted.
        height: Likewise.
        start_seconds: Of the first frame on the container's clock; 0 where that is not known.
        has_timestamps: The container's timestamps never fall.
        reached_end: The pass ended with the file, or with what can be read of it.
    """

    claims: Claims
    timestamps_seconds: list[float] = field(default_factory=list)
    jpegs: dict[int, bytes] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    start_seconds: float = 0.0
    has_timestamps: bool = True
    reached_end: bool = False

    def add(self, timestamp_seconds: float) -> None:
        """Notes the next frame."""
        if self.timestamps_seconds and timestamp_seconds < self.timestamps_seconds[-1]:
            self.has_timestamps = False
        self.timestamps_seconds.append(timestamp_seconds)

    @property
    def last_seconds(self) -> float:
        """When the last frame read is displayed, from the first one, as far as is known by now."""
        if self.has_timestamps:
            return self.timestamps_seconds[-1] - self.timestamps_seconds[0]
        return (len(self.timestamps_seconds) - 1) * self.claims.frame_seconds

    def display_times(self) -> np.ndarray:
        """Seconds from the first frame at which each frame read is displayed, float64 [M], non-decreasing.

        Falling or standing timestamps are none: AVI and MPEG program streams with B-frames give 0 for the last
        frames, bare H.264 streams for all. There the claimed rate serves, which such formats keep.
        """
        times = np.array(self.timestamps_seconds, np.float64)
        times -= times[0]
        if self.has_timestamps and (len(times) == 1 or times[-1] > 0):
            return times
        return np.arange(len(times)) * self.claims.frame_seconds


@dataclass(frozen=True)
class VideoReader:
    """Reads one file. Its passes number the frames alike.

    Args:
        path: Absolute: FFmpeg takes the start of "a:b.mp4" for a protocol.
        short_side: Pixels, of the JPEGs; smaller frames are not enlarged.
        jpeg_quality: 1 to 100.
    """

    path: Path
    short_side: int
    jpeg_quality: int

    def read(self, choose_frames: Callable[[Claims], Collection[int]], end_seconds: float) -> Reading:
        """Reads up to the first frame that is displayed at `end_seconds` or later.

        Args:
            choose_frames: Given the claims, the indices of the frames to keep.
            end_seconds: From the first frame; infinity: to the end of the file.
        """
        cv2 = import_opencv()
        with self._opened() as capture:
            reading = Reading(_read_claims(capture))
            wanted = choose_frames(reading.claims)
            while capture.grab():
                index = len(reading.timestamps_seconds)
                reading.add(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
                if index == 0:
                    reading.start_seconds = max(capture.get(cv2.CAP_PROP_PTS), 0) * reading.claims.frame_seconds
                if index in wanted:
                    self._keep(capture, index, reading)
                if reading.last_seconds >= end_seconds:
                    return reading
        reading.reached_end = True
        return reading

    def read_missing(self, indices: Collection[int], reading: Reading) -> None:
        """Adds those of the frames `indices` that an earlier pass has not kept, by a second pass where it must."""
        missing = set(indices) - reading.jpegs.keys()
        if not missing:
            return
        with self._opened() as capture:
            for index in range(max(missing) + 1):
                if not capture.grab():
                    break
                if index in missing:
                    self._keep(capture, index, reading)
        if not reading.jpegs.keys() >= missing:
            raise InputError(
                f"{self.path}: frame {max(missing)} could be read once and not again: is it being written?"
            )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        cv2 = import_opencv()
        # One thread: with several, what FFmpeg makes of damaged frames depends on their timing.
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        try:
            if not capture.isOpened():
                raise InputError(
                    f"{self.path}: expected a video. FFmpeg finds no video stream in it: it is no video, only audio, "
                    "or cut off before its index"
                )
            # OpenCV's own turning has been off, on and in the wrong direction in turn: off, and turned in _keep.
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
            yield capture
        finally:
            capture.release()

    def _keep(self, capture: Any, index: int, reading: Reading) -> None:
        cv2 = import_opencv()
        succeeded, bgr = capture.retrieve()
        if not succeeded:
            return
        bgr = np.rot90(bgr, -reading.claims.clockwise_degrees // 90)
        reading.height, reading.width = bgr.shape[:2]
        scale = self.short_side / min(bgr.shape[:2])
        if scale < 1:
            size = round(reading.width * scale), round(reading.height * scale)
            bgr = cv2.resize(np.ascontiguousarray(bgr), size, interpolation=cv2.INTER_AREA)
        succeeded, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
        if succeeded:
            reading.jpegs[index] = jpeg.tobytes()


def _read_claims(capture: Any) -> Claims:
    cv2 = import_opencv()
    degrees = round(capture.get(cv2.CAP_PROP_ORIENTATION_META))
    four_characters = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    return Claims(
        num_frames=capture.get(cv2.CAP_PROP_FRAME_COUNT),
        fps=capture.get(cv2.CAP_PROP_FPS),
        clockwise_degrees=degrees % 360 // 90 * 90,
        codec=four_characters.to_bytes(4, "little").decode("latin-1").strip("\0 "),
    )
