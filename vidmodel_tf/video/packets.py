"""The packets of one video stream, in the order in which they are decoded, and what the container says of each.

Listing packets is a hundred times cheaper than decoding them, and tells when every picture is displayed and from where
decoding can begin.
"""

from __future__ import annotations

import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import av
import av.container
import av.error
import av.packet
import av.stream
import numpy as np

UNKNOWN = np.iinfo(np.int64).min
KEPT_BYTES = 32 << 20  # compressed video that is held in memory rather than read twice
PACKET_BYTES = 1000  # about what a packet takes beside its content
MAX_READ_ERRORS = 1000


@dataclass(frozen=True, eq=False)
class Packets:
    """Packets in decoding order: of a whole file, or of a part that begins with a key frame.

    Args:
        pts: int64 [M], when each is displayed, in ticks of the stream; UNKNOWN where the container does not say.
        dts: int64 [M], likewise when it is decoded.
        durations: int64 [M], in ticks, 0 where the container does not say.
        is_key: bool [M]: decoding can begin here.
        is_hidden: bool [M]: decoded, but not displayed (cut away by an edit list).
        held: The packets themselves, where they are few enough.
        is_whole: They are all that the file has.
        tells_pts: The container knows when pictures are displayed, not only in which order they are decoded.
    """

    pts: np.ndarray
    dts: np.ndarray
    durations: np.ndarray
    is_key: np.ndarray
    is_hidden: np.ndarray
    held: tuple[av.packet.Packet, ...] | None
    is_whole: bool
    tells_pts: bool = True

    def __len__(self) -> int:
        return len(self.pts)

    @cached_property
    def shown_pts(self) -> np.ndarray:
        """int64: when pictures are displayed, increasing; only where times are trusted."""
        return np.sort(self.pts[~self.is_hidden])

    @cached_property
    def row_of_pts(self) -> dict[int, int]:
        """Row of each packet that is displayed."""
        rows = np.flatnonzero(~self.is_hidden)
        return dict(zip(self.pts[rows].tolist(), rows.tolist(), strict=True))

    @cached_property
    def has_trusted_times(self) -> bool:
        """Each picture has a time of its own, and decoding times only rise."""
        shown = self.pts[~self.is_hidden]
        dts = self.dts[self.dts != UNKNOWN]
        return (
            len(shown) > 0
            and (self.tells_pts or bool(self.is_key.all()))
            and bool((shown != UNKNOWN).all())
            and len(np.unique(shown)) == len(shown)
            and bool((np.diff(dts) > 0).all())
            and bool((self.pts >= self.dts)[~self.is_hidden].all())
        )

    def key_row(self, row: int) -> int | None:
        """The last key frame from which decoding gives the picture of `row`; None: it comes before all of them."""
        keys = self._key_rows[: np.searchsorted(self._key_rows, row, side="right")]
        # Pictures that follow a key frame but are displayed before it need the pictures before the key frame too.
        usable = keys[self.pts[keys] <= self.pts[row]]
        return int(usable[-1]) if len(usable) else None

    @cached_property
    def _key_rows(self) -> np.ndarray:
        return np.flatnonzero(self.is_key)


def list_packets(packets: Iterable[av.packet.Packet], *, is_whole: bool, tells_pts: bool) -> Packets:
    """Lists packets, and holds them as long as they are few."""
    columns = array.array("q")  # a film of three hours has 300,000 packets
    held: list[av.packet.Packet] | None = []
    num_bytes = 0
    for packet in packets:
        columns.extend((*packet_times(packet), packet.duration or 0, packet.is_keyframe, packet.is_discard))
        if held is not None:
            num_bytes += packet.size + PACKET_BYTES
            held.append(packet)
            if num_bytes > KEPT_BYTES:
                held = None
    table = np.array(columns, np.int64).reshape(-1, 5)
    return Packets(
        pts=table[:, 0],
        dts=table[:, 1],
        durations=table[:, 2],
        is_key=table[:, 3].astype(bool),
        is_hidden=table[:, 4].astype(bool),
        held=None if held is None else tuple(held),
        is_whole=is_whole,
        tells_pts=tells_pts,
    )


def packet_times(packet: av.packet.Packet) -> tuple[int, int]:
    """When a packet is displayed and when it is decoded, in ticks; UNKNOWN where the container does not say."""
    return UNKNOWN if packet.pts is None else packet.pts, UNKNOWN if packet.dts is None else packet.dts


def demux(container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator[av.packet.Packet]:
    """The packets of a stream from where the container stands, past places that cannot be read."""
    for _ in range(MAX_READ_ERRORS):
        try:
            for packet in container.demux(stream):
                if packet.size:  # the last one is empty
                    yield packet
            return
        except av.error.FFmpegError:
            continue


def until(packets: Iterable[av.packet.Packet], end_pts: int) -> Iterator[av.packet.Packet]:
    """Packets up to one that is displayed at `end_pts` or later, and those that are decoded before that."""
    has_end = False
    for packet in packets:
        yield packet
        has_end |= packet.pts is not None and packet.pts >= end_pts
        if has_end and (packet.dts is None or packet.dts >= end_pts):
            return
