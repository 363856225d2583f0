"""What users are told when something is wrong: one line, and where there are many faults, one line each."""

from __future__ import annotations

import errno
import os
import re
import reprlib
from collections.abc import Sequence
from typing import Any


class VidmodelError(Exception):
    """A failure with a message for the user: what was expected, what came, what to do.

    Args:
        reason: One line. A very long one is cut in the middle, and what is not Unicode is escaped.
        details: Further lines, one a fault, where one line cannot hold them (the bad rows of a manifest); of more than
            1,000 the first are kept, and how many more there are.
        subject: The file or clip that the reason is about; it stands before the reason in the message. Whoever shows
            the subject in another way takes `reason` alone.
    """

    exit_code = 1

    def __init__(
        self, reason: str, details: Sequence[str] = (), *, subject: str | os.PathLike[str] | None = None
    ) -> None:
        self.reason = _printable(reason)
        super().__init__(self.reason if subject is None else f"{_printable(str(subject))}: {self.reason}")
        self.details = tuple(map(_printable, details[:_MAX_DETAILS]))
        if len(details) > _MAX_DETAILS:
            self.details += (f"and {len(details) - _MAX_DETAILS:,} more",)
        self.subject = None if subject is None else str(subject)

    def __reduce__(self):
        # Exceptions that cross a process border are rebuilt from this; the default forgets all but the message.
        return _rebuild, (type(self), self.reason, self.details, self.subject)


class InputError(VidmodelError, ValueError):
    """What the user gave (a file, a row, a setting, an argument) cannot be used as it is."""

    exit_code = 2


def shown(value: Any) -> str:
    """A value as messages show it: what Python would print, cut short where it is long or deep.

    Example:
        >>> shown({"a": [1, 2], "b": "text"})
        "{'a': [1, 2], 'b': 'text'}"
    """
    return _SHORT.repr(value)


def cause(error: BaseException) -> str:
    r"""What another library says of a failure, as part of our one line: on one line, cut short where it is long.

    Example:
        >>> cause(ValueError("bad\n  file"))
        'bad file'
    """
    return " ".join(str(error).split())[:_LONGEST]


def disk_failure(error: BaseException | None) -> str | None:
    """What an exception says of a disk that is full or cannot be written, on one line; None for any other exception.

    TensorFlow and HDF5 raise exceptions of their own for it, which have nothing in common but the system's words.

    Example:
        >>> disk_failure(RuntimeError("a.tfrecord; No space left on device"))
        'a.tfrecord; No space left on device'
    """
    while error is not None:
        text = " ".join(_GRAPH_NODE.sub("", str(error)).split())
        for words in _DISK_FAILURES:
            if words in text:
                return text[: text.index(words) + len(words)][-_LONGEST:]  # the path stands right before them
        error = error.__cause__
    return None


def _printable(line: str) -> str:
    line = line.encode(errors="backslashreplace").decode()
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE // 2]} ... {line[-_LONGEST_LINE // 2 :]}"


_LONGEST_LINE = 2000  # characters; a name or a value in it may have been anything
_MAX_DETAILS = 1000  # more lines than anybody reads
_LONGEST = 200  # characters of what another library says
_GRAPH_NODE = re.compile(r"\{\{.*?\}\} ?")  # what TensorFlow puts first: where in the graph it happened
_DISK_FAILURES = [
    os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)
]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


def _rebuild(kind: type[VidmodelError], reason: str, details: Sequence[str], subject: str | None) -> VidmodelError:
    return kind(reason, details, subject=subject)
