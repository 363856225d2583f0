"""How long the last picture of a file is displayed, as its container says."""

from __future__ import annotations

from dataclasses import dataclass

from vidmodel_tf.video.packets import Packets

TELLS_DURATIONS = {"mov", "matroska", "gif", "apng", "avi", "nut"}


@dataclass(frozen=True)
class StreamClaims:
    """What a container says of a video stream as a whole.

    Attributes:
        format: FFmpeg's name of the container.
        first_pts: When the first picture is displayed, in ticks; None where it does not say.
        ticks: How long the stream is; 0 where it does not say.
        num_frames: Likewise.
    """

    format: str
    first_pts: int | None
    ticks: int
    num_frames: int


def last_ticks(packets: Packets, claims: StreamClaims) -> int:
    """Ticks for which the last picture is displayed; 0 where the container does not say."""
    if claims.format not in TELLS_DURATIONS or not packets.has_trusted_times:
        return 0
    last_row = packets.row_of_pts[int(packets.shown_pts[-1])]
    if claims.format != "mov" or last_row == len(packets) - 1:
        return int(packets.durations[last_row])
    return _last_ticks_of_reordered(packets, claims)


def _last_ticks_of_reordered(packets: Packets, claims: StreamClaims) -> int:
    """MP4 counts durations in the order of decoding, exact to a frame or two: they tell of a long picture only."""
    if not claims.ticks or claims.first_pts is None or len(packets) < claims.num_frames:
        return 0
    last_pts = int(packets.shown_pts[-1])
    claimed_ticks = claims.first_pts + claims.ticks - last_pts
    average_ticks = (last_pts - int(packets.shown_pts[0])) / max(len(packets.shown_pts) - 1, 1)
    return claimed_ticks if claimed_ticks > 3 * average_ticks else 0
