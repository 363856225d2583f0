"""A call of a function, as it goes to a node, and what may be wrong with the node."""

from __future__ import annotations

import dataclasses
import os
import pickle
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import VidmodelError


class NodeError(VidmodelError):
    """A node that is not set up as the machine that asks."""

    exit_code = 2


class UnseenError(Exception):
    """A file that the machine that asks sees, and this one does not; its message says which, and what is here."""


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a function.

    Attributes:
        message: The function and its arguments, pickled.
        begin: Called first in a worker process, in which the function is called then; None: there is no such process,
            for the function has worker processes of its own.
        timeout_seconds: From when the worker begins it; None: for ever.
        versions: With which it is to be computed.
        is_alone: Whether nothing else may run on the node meanwhile.
    """

    message: bytes
    begin: Callable[[], None] | None
    timeout_seconds: float | None
    versions: Mapping[str, str]
    is_alone: bool = False


def message_for(
    function: Callable[..., Any], arguments: Sequence[object], reads: Sequence[str | os.PathLike[str]]
) -> bytes:
    """The message of a call that looks first whether what it reads is there, as it is on this machine.

    Without that, a node that lacks a folder would refuse its videos one by one, as if they were missing everywhere.
    """
    sizes = {os.fspath(path): _size(path) for path in reads}
    # What is missing here too is refused by the function, in the words that it has for that.
    known = {path: size for path, size in sizes.items() if size is not None}
    return pickle.dumps((_call_where_seen, (known, function, arguments)))


def _call_where_seen(sizes: Mapping[str, int], function: Callable[..., Any], arguments: Sequence[object]) -> Any:
    for path, expected in sizes.items():
        found = _size(path)
        if found is None:
            raise UnseenError(f"does not see {path}")
        if found != expected:
            raise UnseenError(f"sees another {path} ({found} bytes in place of {expected})")
    return function(*arguments)


def _size(path: str | os.PathLike[str]) -> int | None:
    """The bytes of a file, -1 for what is no file; None where there is nothing."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else -1
