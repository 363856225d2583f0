"""Clips out of one stretch of packets of a video file."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import av
import numpy as np

from vidmodel_tf.clips.clip_request import ClipRequest, DecodedClip
from vidmodel_tf.errors import InputError
from vidmodel_tf.video.file import VideoFile
from vidmodel_tf.video.losses import Losses
from vidmodel_tf.video.packets import UNKNOWN, Packets
from vidmodel_tf.video.pixels import PixelConverter
from vidmodel_tf.video.runs import Run, plan_runs
from vidmodel_tf.video.sampling import frames_at, sample_times
from vidmodel_tf.video.stored_frame import encode_frame, reduce_frame


class Stored(NamedTuple):
    """A picture as a clip stores it; the key is a timestamp, or the picture's number."""

    key: int
    short_side: int
    jpeg_quality: int


Missing = dict[int, list[Stored]]  # by key


@dataclass(frozen=True)
class Choice:
    """Which pictures stand for a clip."""

    keys: tuple[int, ...]
    timestamps_seconds: tuple[float, ...]
    duration_seconds: float
    fps: float


class Part:
    """Reads clips that lie within `packets`, each picture decoded once.

    Pictures are told apart by their timestamps, or, where these are not trusted, by their number; such a part is
    decoded from its first packet to its last, whatever is wanted of it.
    """

    def __init__(self, video: VideoFile, packets: Packets) -> None:
        self._video = video
        self._packets = packets
        self._is_trusted = packets.has_trusted_times
        self._timeline = video.timeline(packets)
        self._losses = Losses(video, packets)
        self._converter = PixelConverter()
        self._jpegs: dict[Stored, bytes] = {}
        self._size = (0, 0)
        self._has_counted = False

    def read(self, requests: dict[int, ClipRequest]) -> dict[int, DecodedClip | InputError] | None:
        """The clip of each request, or why it is refused.

        Returns:
            None: These clips would differ from those that are read alone, because pictures are missing (of which
            clip?) or a clock was mended (before which clip?). A single request always has its answer.

        Raises:
            InputError: Too little of the part can be decoded.
        """
        while self._may_share(requests):
            choices = {number: self._choose(request) for number, request in requests.items()}
            missing = self._wanted(choices, requests) - self._jpegs.keys()
            if not missing and (self._is_trusted or self._has_counted):
                self._losses.check(self._timeline)
                return {number: self._answer(choices[number], request) for number, request in requests.items()}
            by_key: Missing = {}
            for stored in missing:
                by_key.setdefault(stored.key, []).append(stored)
            self._decode(by_key)
        return None

    def _may_share(self, requests: dict[int, ClipRequest]) -> bool:
        if len(requests) == 1 or not self._is_trusted:  # what is not trusted is decoded as a whole for each clip too
            return True
        return not self._losses.has_any and (self._packets.is_whole or not self._timeline.notes)

    def _wanted(self, choices: dict[int, Choice | InputError], requests: dict[int, ClipRequest]) -> set[Stored]:
        return {
            Stored(key, requests[number].short_side, requests[number].jpeg_quality)
            for number, choice in choices.items()
            if isinstance(choice, Choice)
            for key in choice.keys
        }

    def _answer(self, choice: Choice | InputError, request: ClipRequest) -> DecodedClip | InputError:
        if isinstance(choice, InputError):
            return choice
        return DecodedClip(
            jpeg_frames=tuple(
                self._jpegs[Stored(key, request.short_side, request.jpeg_quality)] for key in choice.keys
            ),
            timestamps_seconds=choice.timestamps_seconds,
            duration_seconds=choice.duration_seconds,
            fps=choice.fps,
            width=self._size[0],
            height=self._size[1],
            warnings=(*self._timeline.notes, *self._losses.warnings()),
        )

    def _choose(self, request: ClipRequest) -> Choice | InputError:
        timeline, slots = self._timeline, list(request.slots or range(request.num_frames))
        if not len(timeline.keys):
            self._losses.check(timeline)
        if request.start_seconds is None and request.end_seconds is None:
            times, first, fps = timeline.regular, 0, 1 / timeline.average_seconds
            start, end = 0.0, timeline.duration_seconds
        else:
            try:
                first, last, start, end = self._clip_range(request)
            except InputError as error:
                return error
            times = timeline.regular_between(first, last, self._origin_seconds)
            has_steps = len(times) > 1 and times[-1] > times[0]
            fps = (len(times) - 1) / (times[-1] - times[0]) if has_steps else 1 / timeline.frame_seconds
        indices = frames_at(times, sample_times(start, end, request.num_frames)[slots])
        return Choice(
            keys=tuple(timeline.keys[first + indices].tolist()),
            timestamps_seconds=tuple(times[indices].tolist()),
            duration_seconds=end - start,
            fps=float(fps),
        )

    def _clip_range(self, request: ClipRequest) -> tuple[int, int, float, float]:
        """First and last picture of a range, and its start and end in seconds from the first picture of the video."""
        timeline = self._timeline
        origin = self._origin_seconds
        start = (request.start_seconds or 0.0) - origin
        end = (math.inf if request.end_seconds is None else request.end_seconds) - origin
        if self._packets.is_whole:
            video_seconds = timeline.duration_seconds
            if start >= video_seconds:
                raise InputError(
                    f"start_seconds: expected less than the {origin + video_seconds:.3f} seconds at which the video "
                    f"ends. Received: {request.start_seconds}",
                    subject=self._video.path,
                )
            end = min(end, video_seconds)
        if end <= 0:
            raise InputError(
                f"end_seconds: expected more than the {origin:.3f} seconds at which the first picture comes. "
                f"Received: {request.end_seconds}",
                subject=self._video.path,
            )
        start = max(start, 0.0)
        seconds = timeline.seconds - origin
        first = max(int(np.searchsorted(seconds, start + 1e-9, side="right")) - 1, 0)
        last = min(int(np.searchsorted(seconds, end - 1e-9)), len(seconds) - 1)
        return first, max(first, last), start, end

    @property
    def _origin_seconds(self) -> float:
        """When the first picture of the video comes, from second 0."""
        if self._packets.is_whole or self._video.first_pts is None:
            return float(self._timeline.seconds[0])
        clock = self._video.clock
        return self._video.first_pts * clock.tick_seconds - clock.zero_seconds

    def _decode(self, missing: Missing) -> None:
        if not self._is_trusted:
            self._decode_all(missing)
            return
        lost: set[int] = set()
        for run in plan_runs(self._packets, missing):
            lost |= self._decode_run(run, missing)
        self._timeline = self._timeline.without(lost)

    def _decode_run(self, run: Run, missing: Missing) -> set[int]:
        """Decodes a run; returns the timestamps that should have come and did not."""
        seen = set()
        for picture in self._video.decode(self._packets, run.first_row, run.end_row):
            seen.add(picture.pts)
            self._keep(cast(int, picture.pts), picture, missing)
            self._losses.is_interlaced |= picture.interlaced_frame
        if run.first_row > 0 and int(self._packets.pts[run.first_row]) not in seen:
            # The key frame is damaged, or is none: begin at the one before.
            return self._decode_run(run.from_earlier(self._packets), missing)
        lost = run.expected(self._packets) - seen
        self._losses.add(run.expected(self._packets), lost)
        return lost

    def _decode_all(self, missing: Missing) -> None:
        pts = []
        for number, picture in enumerate(self._video.decode(self._packets, 0)):
            pts.append(UNKNOWN if picture.pts is None else picture.pts)
            self._keep(number, picture, missing)
            self._losses.is_interlaced |= picture.interlaced_frame
        if not self._has_counted:
            num_expected = int(np.count_nonzero(~self._packets.is_hidden))
            self._losses.add(set(range(num_expected)), set(range(len(pts), num_expected)))
            # Pictures were kept by their number, whatever timestamps the decoder gave them.
            timeline = self._video.timeline_of(np.array(pts, np.int64))
            self._timeline = dataclasses.replace(timeline, keys=np.arange(len(pts)))
            self._has_counted = True

    def _keep(self, key: int, picture: av.VideoFrame, missing: Missing) -> None:
        if key not in missing:
            return
        pixels = self._converter.to_bgr(picture)
        self._size = pixels.shape[1], pixels.shape[0]
        for stored in missing[key]:
            self._jpegs[stored] = encode_frame(reduce_frame(pixels, stored.short_side), stored.jpeg_quality)
