"""Lines as they are read in one picture after another -> each line once, with the time during which it is displayed."""

from __future__ import annotations

import dataclasses
import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from vidmodel_tf.words.ocr import Line

SAME_TEXT = 0.8  # difflib's ratio; the same line is read in slightly different ways
PART_READ = 0.5  # of a line's letters: whatever has fewer may be another line, as "No" after "Nobody knows"
SAME_EDGE = 0.02  # of the picture's width: a line that is written letter by letter grows to the right
MISSED_SECONDS = 2.0  # a line that is not read for so long has only been missed
MIN_SECONDS = 0.75  # nobody can read what is gone before: it is texture taken for letters
PERMANENT_SHARE = 0.8  # of the video: a logo, the name of a channel
PERMANENT_SECONDS = 10.0  # in shorter videos a subtitle may stand for as long

_CLOCK = re.compile(r"[\W\d_]*(?:[\W\d_]+(?:am|pm|h|min|s|utc|fps)|(?:rec|cam|ch)[\W\d_]+)?[\W\d_]*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class DisplayedLine:
    """A line from the time at which it appears to that at which it is gone."""

    start_seconds: float
    end_seconds: float
    text: str


class ScreenLines:
    """Follows lines from picture to picture; pictures come in the order of time."""

    def __init__(self) -> None:
        self._lines: list[_Track] = []
        self._displayed: list[_Track] = []
        self._recent: list[_Track] = []
        self._start_seconds: float | None = None
        self._end_seconds = 0.0

    def add(self, start_seconds: float, end_seconds: float, lines: Iterable[Line]) -> None:
        """The lines of a picture that is displayed from one time to another."""
        self._recent = [track for track in self._recent if track.end_seconds >= start_seconds - MISSED_SECONDS]
        self._displayed = []
        for line in lines:
            if is_words(line.text):
                self._displayed.append(self._track(line, start_seconds))
        self.extend(start_seconds, end_seconds)

    def extend(self, start_seconds: float, end_seconds: float) -> None:
        """The lines of the picture before are displayed from one time to another, too."""
        self._start_seconds = start_seconds if self._start_seconds is None else self._start_seconds
        self._end_seconds = end_seconds
        for track in self._displayed:
            track.end_seconds = end_seconds

    def finish(self) -> list[DisplayedLine]:
        """Each line once: as they appear, and at the end those that stand there for the whole video."""
        length = self._end_seconds - (self._start_seconds or 0.0)
        shortest = min(MIN_SECONDS, length / 2)
        kept = [track for track in self._lines if track.end_seconds - track.start_seconds >= shortest]
        permanent_seconds = max(PERMANENT_SHARE * length, PERMANENT_SECONDS)
        passing, permanent = _split_permanent(kept, permanent_seconds)
        return [
            DisplayedLine(track.start_seconds, track.end_seconds, track.text)
            for track in (*sorted(passing, key=_Track.order), *sorted(permanent, key=_Track.order))
        ]

    def _track(self, line: Line, start_seconds: float) -> _Track:
        track = next((track for track in self._recent if track not in self._displayed and track.is_same(line)), None)
        if track is None:
            track = _Track(start_seconds, start_seconds, line)
            self._lines.append(track)
            self._recent.append(track)
        track.count(line)
        return track


class _Track:
    """One line, read in several pictures."""

    def __init__(self, start_seconds: float, end_seconds: float, line: Line) -> None:
        self.start_seconds = start_seconds
        self.end_seconds = end_seconds
        self.last = line
        self._scores: dict[str, float] = {}

    @property
    def text(self) -> str:
        """The reading that is most certain, over all pictures together."""
        return max(self._scores, key=lambda text: self._scores[text])

    def order(self) -> tuple[float, float, float]:
        return self.start_seconds, self.last.top, self.last.left

    def is_same(self, line: Line) -> bool:
        return _stands_in_place_of(self.last, line) and _are_alike(self.last, line)

    def count(self, line: Line) -> None:
        self.last = line
        self._scores[line.text] = self._scores.get(line.text, 0.0) + line.score


def is_words(text: str) -> bool:
    """Whether a line says more than a time or a number.

    Example:
        >>> [text for text in ("GOAL!", "12:03:41 PM", "REC 00:12", "2 : 1", "a") if is_words(text)]
        ['GOAL!']
    """
    return sum(character.isalpha() for character in text) > 1 and not _CLOCK.fullmatch(text)


def letters(text: str) -> str:
    """What two readings of one line have in common: small letters, and a 0 for every digit, which clocks count on.

    Example:
        >>> letters("Camera 4, 12:03"), letters("ＣＡＭＥＲＡ 4 12:04")
        ('camera00000', 'camera00000')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join("0" if character.isdigit() else character for character in folded if character.isalnum())


def _are_alike(before: Line, after: Line) -> bool:
    old, new = letters(before.text), letters(after.text)
    shorter, longer = sorted((old, new), key=len)
    is_read_in_part = shorter in longer and len(shorter) >= PART_READ * len(longer)
    is_being_written = new.startswith(old) and abs(after.left - before.left) <= SAME_EDGE
    if is_read_in_part or is_being_written:
        return True
    return difflib.SequenceMatcher(None, old, new, autojunk=False).ratio() >= SAME_TEXT


def _stands_in_place_of(before: Line, after: Line) -> bool:
    height = min(before.bottom - before.top, after.bottom - after.top)
    rows = min(before.bottom, after.bottom) - max(before.top, after.top)
    columns = min(before.right, after.right) - max(before.left, after.left)
    return rows > 0.5 * height and columns > 0


def _split_permanent(tracks: Sequence[_Track], permanent_seconds: float) -> tuple[list[_Track], list[_Track]]:
    """Those that pass, and those that stand there for long, each once although it was not read all the time."""
    by_letters: dict[str, list[_Track]] = {}
    for track in tracks:
        by_letters.setdefault(letters(track.text), []).append(track)
    passing, permanent = [], []
    for same in by_letters.values():
        first, last = same[0], same[-1]
        if last.end_seconds - first.start_seconds >= permanent_seconds and _stands_in_place_of(first.last, last.last):
            first.end_seconds = last.end_seconds
            permanent.append(first)
        else:
            passing += same
    return passing, permanent
