"""How large a manifest may be, and when there is no point in reading on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from vidmodel_tf.errors import InputError, shown

MAX_BYTES = 256 * 2**20  # a million rows of 256 bytes; it takes about ten times as much memory
MAX_ROWS = 1_000_000
MAX_COLUMNS = 1_000
MAX_LINE = 4 * 2**20  # characters; four times as many as the words of a clip may have
MAX_CLASSES = 100_000  # of a head; ImageNet's largest set has 21,841
MAX_NAME = 1_000  # characters of a class or a column
MAX_PATH = 4_096  # characters of a path, a source or an id: the longest path that Linux takes
_MAX_BAD_ROWS = 1_000  # as many faults as an error lists


class _Faulty(Protocol):
    @property
    def faults(self) -> Sequence[str]: ...


_Row = TypeVar("_Row", bound=_Faulty)


def until_too_bad(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Gives the rows one by one, and ends when 1,000 had faults after whoever takes them was done with them."""
    num_bad = 0
    for row in rows:
        yield row
        num_bad += bool(row.faults)
        if num_bad == _MAX_BAD_ROWS:
            return


def checked_lines(lines: Iterable[str], file_name: str) -> Iterator[str]:
    """The same lines of a file.

    Raises:
        InputError: One is too long.
    """
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise InputError(
                f"{file_name}: line {number}: expected at most {MAX_LINE:,} characters. Received: {len(line):,}"
            )
        yield line


def check_number_of_rows(number: int, file_name: str) -> None:
    """Refuses the first row that is too many.

    Raises:
        InputError: This is it.
    """
    if number > MAX_ROWS:
        raise InputError(f"{file_name}: expected at most {MAX_ROWS:,} rows. Received: more; divide it into several")


def check_names(names: Sequence[str], file_name: str) -> None:
    """Refuses names of columns that are too many, too long, not Unicode, or there twice.

    Raises:
        InputError: With the first of them.
    """
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{file_name}: expected at most {MAX_COLUMNS:,} columns. Received: {len(names):,}")
    for name in names:
        if len(name) > MAX_NAME:
            raise InputError(
                f"{file_name}: expected names of columns of at most {MAX_NAME:,} characters. "
                f"Received: {shown(name)}, {len(name):,} characters"
            )
        if not is_unicode(name):
            raise InputError(f"{file_name}: expected names of columns in Unicode. Received: {shown(name)}")
    repeated = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if repeated:
        raise InputError(f"{file_name}: expected each column once. Received twice: {', '.join(map(repr, repeated))}")


def check_length(text: str, most: int, what: str) -> None:
    """Refuses a text that is too long.

    Raises:
        InputError: It is.
    """
    if len(text) > most:
        raise InputError(
            f"expected {what} of at most {most:,} characters. Received: {shown(text)}, {len(text):,} characters"
        )


def is_unicode(text: str) -> bool:
    """Whether a text is free of halves of surrogate pairs, which no UTF-8 file can keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
