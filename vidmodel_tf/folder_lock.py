"""A folder that one process at a time writes into."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from vidmodel_tf.errors import InputError, shown

NAME = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a folder for this process until the block ends, or the process does, however it dies.

    The folder is made if it is missing, and removed again if nothing was written into it. Its file `.lock` says who
    writes there: host, process and command. On a file system that has no locks a warning says so, and the work goes on.

    Args:
        folder: The folder.

    Raises:
        InputError: Another process writes there.
        OSError: The folder cannot be written.
    """
    path, is_new = folder / NAME, not folder.exists()
    with _lock(path) as file:
        try:
            yield
        finally:
            if _is_at(path, file):  # it is gone where the folder was removed with all that was in it
                path.unlink()
            if is_new:
                with contextlib.suppress(OSError):  # something was written into it
                    folder.rmdir()


def _lock(path: Path) -> IO[str]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a+", encoding="utf-8")
        except FileNotFoundError:  # whoever made the folder has just removed it
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # some servers of files say the latter
            with file:
                raise InputError(
                    f"{path.parent} is being written by {_holder(file)}: "
                    "wait until it has ended, or name another folder"
                ) from None
        except OSError as error:
            print(
                f"warning: {path.parent} is on a file system without locks ({error.strerror}): "
                "see to it that nothing else writes there",
                file=sys.stderr,
                flush=True,
            )
        if _is_at(path, file):
            _sign(file)
            return file
        file.close()  # whoever held the lock has just removed the file


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _sign(file: IO[str]) -> None:
    file.truncate(0)
    json.dump({"host": socket.gethostname(), "process": os.getpid(), "command": _command()}, file)
    file.flush()


def _command() -> str:
    """Without arguments, which may hold a password."""
    program = Path(sys.argv[0]).name
    return " ".join(["vidmodel", *sys.argv[1:2]]) if program in ("vidmodel", "__main__.py") else program


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read())
        return f"process {holder['process']} on {shown(holder['host'])} ({holder['command']})"
    except (ValueError, KeyError, TypeError):  # it has just taken the lock
        return "another process"
