"""Which stretches of a video have to be decoded for the pictures that are wanted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from vidmodel_tf.video.packets import Packets


@dataclass(frozen=True)
class Run:
    """Rows of packets to be decoded one after the other: [first_row, end_row)."""

    first_row: int
    end_row: int

    def expected(self, packets: Packets) -> set[int]:
        """The timestamps of the pictures that the run gives."""
        pts = packets.pts[self.first_row : self.end_row]
        shown = pts[~packets.is_hidden[self.first_row : self.end_row]]
        # What is displayed before the first key frame, but comes after it, needs what was before.
        return set((shown[shown >= pts[0]] if self.first_row else shown).tolist())

    def from_earlier(self, packets: Packets) -> Run:
        """The same run, begun one key frame earlier."""
        keys = np.flatnonzero(packets.is_key[: self.first_row])
        return Run(int(keys[-1]) if len(keys) else 0, self.end_row)


def plan_runs(packets: Packets, wanted: Collection[int]) -> list[Run]:
    """The shortest runs that give all pictures that are wanted.

    Args:
        packets: With trusted times.
        wanted: Timestamps.
    """
    runs: list[Run] = []
    ends = _ends_by_display(packets)
    for pts in sorted(wanted):
        row = packets.row_of_pts[pts]
        first_row, end_row = packets.key_row(row) or 0, int(ends[np.searchsorted(packets.shown_pts, pts)])
        if runs and first_row <= runs[-1].end_row:  # decoding on costs no more than beginning anew
            runs[-1] = Run(runs[-1].first_row, max(end_row, runs[-1].end_row))
        else:
            runs.append(Run(first_row, end_row))
    return runs


def _ends_by_display(packets: Packets) -> np.ndarray:
    """For each picture in display order, the row after the last that it and those before it are made from."""
    rows = np.array([packets.row_of_pts[pts] for pts in packets.shown_pts.tolist()], np.int64)
    return np.maximum.accumulate(rows) + 1
