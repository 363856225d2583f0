"""What the other streams of a file do, the sound above all, where the video alone leaves a doubt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from vidmodel_tf.video.containers import open_container

REORDERED_PACKETS = 16  # by so many at most is a packet decoded before its turn


@dataclass(frozen=True, eq=False)
class Sound:
    """How far the video's packets are ahead of the sound that stands beside them in the file.

    Args:
        row_of_pts: Row of each packet of the video.
        lead_seconds: float64 [M], by row; NaN where no sound has come yet, or none comes any more.
    """

    row_of_pts: dict[int, int]
    lead_seconds: np.ndarray

    def goes_on_over(self, before_pts: int, after_pts: int, gap_seconds: float) -> bool:
        """Whether the sound knows nothing of a gap in the video's times: then only the clock of the video jumps.

        While a still picture is displayed, the sound goes on for as long as the picture does.
        """
        if not {before_pts, after_pts} <= self.row_of_pts.keys():
            return False
        rows = sorted((self.row_of_pts[before_pts], self.row_of_pts[after_pts]))
        before = self.lead_seconds[max(rows[0] - 1, 0)]
        after = self.lead_seconds[min(rows[1] + REORDERED_PACKETS, len(self.lead_seconds) - 1)]
        return bool(after - before > gap_seconds / 2)  # False for NaN


def read_sound(path: Path, stream_index: int, on_packet: Callable[[], None] = lambda: None) -> Sound:
    """Reads the times of the best sound stream beside those of the video stream.

    Args:
        path: Of the file.
        stream_index: Of the video stream.
        on_packet: Called for each packet that is read.
    """
    video_pts, leads = [], []
    last_seconds, num_with_sound = np.nan, 0
    with open_container(path) as container, contextlib.suppress(av.error.FFmpegError):
        video, sound = container.streams[stream_index], container.streams.best("audio")
        for packet in container.demux(video, sound) if sound else ():
            on_packet()
            if packet.pts is None:
                continue
            if packet.stream_index == stream_index:
                decoded = packet.pts if packet.dts is None else packet.dts
                video_pts.append(packet.pts)
                leads.append(float(decoded * packet.time_base) - last_seconds)
            else:
                last_seconds, num_with_sound = float(packet.pts * packet.time_base), len(leads)
    lead_seconds = np.array(leads, np.float64)
    lead_seconds[num_with_sound + 1 :] = np.nan
    return Sound({pts: row for row, pts in enumerate(video_pts)}, lead_seconds)


def last_other_seconds(path: Path, stream_index: int) -> float:
    """When the last packet of any other stream than the video is over, on the container's own clock; 0.0: none."""
    last_seconds = 0.0
    with open_container(path) as container, contextlib.suppress(av.error.FFmpegError):
        others = [stream for stream in container.streams if stream.index != stream_index]
        for packet in container.demux(others) if others else ():
            if packet.pts is not None:
                end = packet.pts + (packet.duration or 0)
                last_seconds = max(last_seconds, float(end * packet.time_base))
    return last_seconds
