"""A part of the day, "22:00-06:00"."""

from __future__ import annotations

import dataclasses
import re

from vidmodel_tf.errors import InputError

_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_PATTERN = re.compile(f"{_TIME}-(?:{_TIME}|(24:00))")


@dataclasses.dataclass(frozen=True)
class Hours:
    """From one time of the day to another, half open; across midnight where the end is the earlier one.

    Attributes:
        start_seconds: After midnight.
        end_seconds: Likewise.
    """

    start_seconds: int
    end_seconds: int

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Reads "HH:MM-HH:MM".

        Raises:
            InputError: It is written in another way, or both times are the same.

        Example:
            >>> Hours.parse("22:00-06:00").contains(1 * 3600)
            True
        """
        found = _PATTERN.fullmatch(text)
        if found is None:
            raise InputError(f"hours: expected two times such as '22:00-06:00'. Received: {text!r}")
        start = _seconds(found[1], found[2])
        end = 24 * 3600 if found[5] else _seconds(found[3], found[4])
        if start == end:
            raise InputError(
                f"hours: expected two different times; leave 'hours' out for the whole day. Received: {text!r}"
            )
        return cls(start, end)

    def contains(self, second_of_day: float) -> bool:
        """Whether a time lies in the hours.

        Args:
            second_of_day: Seconds since midnight, 0 to 86,400, by the clock that the hours are meant for.
        """
        if self.start_seconds < self.end_seconds:
            return self.start_seconds <= second_of_day < self.end_seconds
        return second_of_day >= self.start_seconds or second_of_day < self.end_seconds


def _seconds(hours: str, minutes: str) -> int:
    return int(hours) * 3600 + int(minutes) * 60
