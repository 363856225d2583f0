"""Records that cannot be read, as one line: a data set may have been damaged, or come from a stranger."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import tensorflow as tf

from vidmodel_tf.errors import InputError

Item = TypeVar("Item")

# What TensorFlow calls the op that failed, or says of the file.
_OF_RECORDS = re.compile(r"DecodeJpeg|ParseExample|ParseSingleExample|JPEG|(?:corrupted|truncated) record")
_OF_VALUES = (UnicodeDecodeError, IndexError, KeyError)  # a text that is none, the number of a class that is not there


@contextlib.contextmanager
def reading_records(path: Path) -> Iterator[None]:
    """Says of a record or a stored frame that cannot be read that it is the data set's fault.

    Args:
        path: The data set, or the file.

    Raises:
        InputError: In place of TensorFlow's exception.
    """
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        if not _OF_RECORDS.search(str(error)):
            raise
        raise _damaged(error, path) from None


def readable(items: Iterable[Item], path: Path) -> Iterator[Item]:
    """What is read from records, one by one; `path` as in `reading_records`.

    Raises:
        InputError: A record is damaged.
    """
    try:
        with reading_records(path):
            yield from items
    except _OF_VALUES as error:
        raise _damaged(error, path) from None


def _damaged(error: Exception, path: Path) -> InputError:
    return InputError(
        f"a record cannot be read ({type(error).__name__}): the data set was damaged or cut off; "
        "fetch it again, or make it anew with `vidmodel prepare`",
        subject=path,
    )
