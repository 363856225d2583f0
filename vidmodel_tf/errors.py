"""What users are told when something is wrong: one line, and where there are many faults, one line each."""

from __future__ import annotations

from collections.abc import Sequence


class VidmodelError(Exception):
    """A failure with a message for the user: what was expected, what came, what to do.

    Args:
        message: One line.
        details: Further lines, one a fault, where one line cannot hold them (the bad rows of a manifest).
    """

    exit_code = 1

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)

    def __reduce__(self):
        # Exceptions that cross a process border are rebuilt from this; the default forgets the details.
        return type(self), (self.args[0], self.details)


class InputError(VidmodelError, ValueError):
    """What the user gave (a file, a row, a setting, an argument) cannot be used as it is."""

    exit_code = 2
