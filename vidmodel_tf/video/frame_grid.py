"""Which pictures of a live stream are taken, and when: its clock, and the regular times at which a model looks."""

from __future__ import annotations

import statistics
from collections import deque

from vidmodel_tf.video.sampling import TIE_TOLERANCE_SECONDS

NUM_GAPS = 9  # of which the median is the usual distance of pictures
NUM_WATCHED = 50  # pictures, of which
NUM_FAULTS = 5  # may have timestamps that stand still or fall, before arrival decides
PACE_SECONDS = 10.0  # over which timestamps and arrival must go on alike,
PACE_RATIO = 1.5  # within this factor,
NUM_WRONG_PACES = 2  # or so often in a row not: a stream begins with the pictures of some seconds at once


class StreamClock:
    """The time of each picture: its timestamp while that can be believed, else when it arrived."""

    def __init__(self) -> None:
        self._faults: deque[bool] = deque(maxlen=NUM_WATCHED)
        self._last: float | None = None
        self._pace_begin = 0.0, 0.0  # by timestamp and by arrival
        self._num_wrong_paces = 0
        self.is_by_arrival = False

    def seconds(self, timestamp_seconds: float | None, arrival_seconds: float) -> float:
        """The time of the next picture, on a clock of any zero.

        Args:
            timestamp_seconds: As the stream says, None where it does not.
            arrival_seconds: By a clock of this machine.
        """
        if timestamp_seconds is None or self.is_by_arrival:
            self.is_by_arrival = True
            return arrival_seconds
        self._faults.append(self._last is not None and timestamp_seconds <= self._last)
        self._check_pace(timestamp_seconds, arrival_seconds)
        self._last = timestamp_seconds
        self.is_by_arrival = sum(self._faults) > NUM_FAULTS or self._num_wrong_paces >= NUM_WRONG_PACES
        return arrival_seconds if self.is_by_arrival else timestamp_seconds

    def _check_pace(self, timestamp_seconds: float, arrival_seconds: float) -> None:
        """Encoders that invent a rate give timestamps that run too fast or too slow."""
        begin_timestamp, begin_arrival = self._pace_begin
        if self._last is None or abs(timestamp_seconds - self._last) > PACE_SECONDS:  # a jump says nothing of the pace
            self._pace_begin = timestamp_seconds, arrival_seconds
        elif arrival_seconds - begin_arrival >= PACE_SECONDS:
            ratio = (timestamp_seconds - begin_timestamp) / (arrival_seconds - begin_arrival)
            is_wrong = not 1 / PACE_RATIO < ratio < PACE_RATIO
            self._num_wrong_paces = self._num_wrong_paces + 1 if is_wrong else 0
            self._pace_begin = timestamp_seconds, arrival_seconds


class FrameGrid:
    """Regular times, step after step, counted anew after every break of the stream.

    Args:
        step_seconds: From one time to the next.
        offset_seconds: Of the first time after the first picture.
        is_file: The times are those of a whole file: they begin at second 0, and a gap is a still picture.
    """

    def __init__(self, step_seconds: float, offset_seconds: float, *, is_file: bool = False) -> None:
        self._is_file = is_file
        self._step_seconds = step_seconds
        self._offset_seconds = offset_seconds
        self._gaps: deque[float] = deque(maxlen=NUM_GAPS)
        self._zero: float | None = None
        self._last = 0.0
        self._next = 0
        self.part = 0  # counts the breaks

    def push(self, seconds: float) -> list[float]:
        """Notes the time of a picture.

        A break is a time that falls, or a gap of more than two steps, unless the stream has fewer pictures anyway.

        Returns:
            The times at which the picture before this one was on display.
        """
        if self._zero is None:
            self._begin(seconds)
            return []
        gap = seconds - self._last
        is_break = not self._is_file and (gap < 0 or gap > self._allowed_gap())
        if gap > 0:
            self._gaps.append(gap)
        if is_break:
            self.part += 1
            self._begin(seconds)
            return []
        self._last = seconds
        return self._times_before(seconds)

    def go_on(self, seconds: float) -> list[float]:
        """The times at which the last picture is on display until `seconds`, which is no time of another picture."""
        return [] if self._zero is None else self._times_before(seconds)

    def finish(self) -> list[float]:
        """The times at which the last picture is on display, for as long as is usual."""
        return [] if self._zero is None else self._times_before(self._last + self._usual_gap())

    def _begin(self, seconds: float) -> None:
        self._zero, self._last, self._next = 0.0 if self._is_file else seconds, seconds, 0

    def _times_before(self, seconds: float) -> list[float]:
        times: list[float] = []
        while (time := self._time_of(self._next)) + TIE_TOLERANCE_SECONDS < seconds:
            times.append(time)
            self._next += 1
        return times

    def _time_of(self, number: int) -> float:
        return (self._zero or 0.0) + self._offset_seconds + number * self._step_seconds

    def _usual_gap(self) -> float:
        return statistics.median(self._gaps) if self._gaps else self._step_seconds

    def _allowed_gap(self) -> float:
        return 2 * max(self._step_seconds, self._usual_gap()) + TIE_TOLERANCE_SECONDS
