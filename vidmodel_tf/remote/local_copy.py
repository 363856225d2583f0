"""A file of a store as a temporary file here, for as long as it is read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vidmodel_tf.remote.store import Place, fetch

_LOCK = "lock"


@contextlib.contextmanager
def local_copy(file: Place) -> Iterator[Path]:
    """Gives a path at which the file can be read until the block ends: for a file of a store, a copy that goes then.

    A process that is killed meanwhile leaves its copy, which the next call on the machine removes. So there are at most
    as many copies as there are processes that read.

    Raises:
        InputError: It is gone.
        StoreError: It may not be read, is another one by now, or the store fails.
    """
    if isinstance(file, Path):
        yield file
        return
    place = Path(tempfile.gettempdir()) / f"vidmodel-copies-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with _locked(place / _LOCK):
            _remove_left(place)
            folder = Path(tempfile.mkdtemp(dir=place))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(_locked(folder / _LOCK))
        copy = folder / f"video{Path(file.name).suffix}"
        fetch(file, copy)
        yield copy


@contextlib.contextmanager
def _locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, how)
        yield


def _remove_left(place: Path) -> None:
    """Removes the copies of processes that are dead, and so hold no lock."""
    for folder in place.iterdir():
        with contextlib.suppress(OSError), _locked(folder / _LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder, ignore_errors=True)
