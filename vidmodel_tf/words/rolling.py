"""Rolling captions, in which a line moves up when the next one comes, with each line once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

# Converters round to hundredths of a second or to frames.
_TOUCHING_SECONDS = 0.05


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a subtitle file shows from a start to an end: lines from top to bottom, none of them blank."""

    start_seconds: float
    end_seconds: float
    lines: tuple[str, ...]


def each_line_once(shown: Iterable[Shown]) -> Iterator[Shown]:
    """Drops the lines that were on the screen already.

    The lines at the top that equal the last lines of what was shown until then are those that moved up; a line that is
    shown again later, after a pause, is said again and stays. Automatic captions of YouTube come so, each line two or
    three times.

    Example:
        >>> shown = [Shown(0, 2, ("one",)), Shown(2, 4, ("one", "two")), Shown(4, 6, ("two", "three"))]
        >>> [part.lines for part in each_line_once(shown)]
        [('one',), ('two',), ('three',)]
    """
    before = Shown(0.0, 0.0, ())
    for part in shown:
        repeated = _num_repeated(before, part)
        if repeated < len(part.lines):
            yield dataclasses.replace(part, lines=part.lines[repeated:])
        if part.lines:
            before = part


def _num_repeated(before: Shown, part: Shown) -> int:
    if not before.start_seconds <= part.start_seconds <= before.end_seconds + _TOUCHING_SECONDS:
        return 0
    most = min(len(before.lines), len(part.lines))
    return next((count for count in range(most, 0, -1) if before.lines[-count:] == part.lines[:count]), 0)
