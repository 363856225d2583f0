"""Whether a folder of ours holds what was written into it: by `SHA256SUMS`, which `sha256sum -c` reads too."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

from vidmodel_tf.errors import InputError
from vidmodel_tf.progress import track
from vidmodel_tf.storage import atomic_write, check_fetched, file_sha256, read_text, write_text
from vidmodel_tf.user_cache import content_hash, recall, remember

NAME = "SHA256SUMS"
ENDING = ".sha256"  # of the sum of a single file, beside it
MAX_BYTES = 64 * 2**20  # the sums of half a million files

_FORM = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_NUM_NAMED = 4  # files that a message names
_NONE: Mapping[str, Path] = MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Content:
    """The files of a kind of folder that are written once and do not change.

    Attributes:
        patterns: Their paths inside the folder, as `Path.glob` takes them. What fits and is not listed is foreign.
        remedy: What to do where one of them is not as it was written.
    """

    patterns: tuple[str, ...]
    remedy: str

    def files(self, folder: Path) -> dict[str, Path]:
        """Those that are there, by their paths inside the folder; what is hidden is temporary, or another program's."""
        found = (path.relative_to(folder) for pattern in self.patterns for path in folder.glob(pattern))
        seen = (path for path in found if not any(part.startswith(".") for part in path.parts))
        return {path.as_posix(): folder / path for path in seen if (folder / path).is_file()}


@dataclasses.dataclass(frozen=True)
class Fault:
    """A file that is not as it was written.

    Attributes:
        name: Its path inside the folder.
        what: How it differs; a foreign file looks like one of ours and is not listed.
    """

    name: str
    what: Literal["changed", "missing", "foreign"]


@dataclasses.dataclass(frozen=True)
class Checked:
    """What a check of a folder has found.

    Attributes:
        num_whole: How many files are as they were written.
        faults: The others, in the order of their names.
    """

    num_whole: int
    faults: tuple[Fault, ...]


def write_sums(folder: Path, content: Content, unplaced: Mapping[str, Path] = _NONE) -> None:
    """Writes `SHA256SUMS`, the last file of a folder before that is put in its place.

    Args:
        folder: The folder.
        content: Which files are listed.
        unplaced: Files that are still to take their place, by their paths inside the folder.
    """
    files = {**content.files(folder), **unplaced}
    sums = {name: file_sha256(files[name]) for name in sorted(files)}
    write_text(folder / NAME, "".join(_line(sha256, name) for name, sha256 in sums.items()))
    remember("whole", _state(files, sums), True)


def check_sums(folder: Path, content: Content) -> None:
    """Refuses a folder in which a file was changed, removed or added; contents are read once and remembered.

    A folder of an older version, without `SHA256SUMS`, is accepted with a line on standard error.

    Raises:
        InputError: It is not as it was written.
    """
    sums = read_sums(folder)
    if sums is None:
        say_unchecked(folder)
        return
    if recall("whole", _state(_files(folder, content, sums), sums)) is True:
        return
    checked = compare(folder, content, sums)
    if checked.faults:
        raise _refusal(folder, content, checked.faults)


@contextlib.contextmanager
def atomic_write_with_sum(path: Path) -> Iterator[Path]:
    """Does what `atomic_write` does; before the file takes its place, `PATH.sha256` with its sum does."""
    with atomic_write(path) as beside:
        yield beside
        write_text(_sum_path(path), _line(file_sha256(beside), path.name))


def is_whole(path: Path) -> bool:
    """Whether a file that can be made again is there as it was written (`atomic_write_with_sum`).

    Its content is read once and remembered. A file of an older version, without a sum, counts as whole.
    """
    if not path.is_file():
        return False
    if not _sum_path(path).exists():
        return True
    try:
        return read_text(_sum_path(path), max_bytes=MAX_BYTES) == _line(content_hash(path), path.name)
    except InputError:
        return False


def read_single_sums(folder: Path) -> dict[str, str]:
    """Reads the sums of single files in a folder, by the names of these.

    Raises:
        InputError: One cannot be read, or was damaged.
    """
    paths = sorted(folder.glob(f"*{ENDING}"))
    return dict(_parsed(path, 1, read_text(path, max_bytes=MAX_BYTES).removesuffix("\n")) for path in paths)


def compare(folder: Path, content: Content, sums: Mapping[str, str]) -> Checked:
    """Reads all listed files, compares them with their sums, and remembers whether all are whole.

    Raises:
        InputError: A file is a pointer of Git LFS, which was not fetched.
    """
    state = _state(_files(folder, content, sums), sums)
    foreign = {name: Fault(name, "foreign") for name in content.files(folder) if name not in sums}
    listed = track(sums.items(), f"checking {folder.name}", len(sums))
    found = {name: _fault(folder, name, sha256) for name, sha256 in listed}
    faults = {**foreign, **{name: fault for name, fault in found.items() if fault is not None}}
    remember("whole", state, not faults)
    return Checked(sum(fault is None for fault in found.values()), tuple(faults[name] for name in sorted(faults)))


def read_sums(folder: Path) -> dict[str, str] | None:
    """Reads `SHA256SUMS`: the SHA-256 of each file by its path inside the folder; None where there is no such file.

    Raises:
        InputError: It cannot be read, or was damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    lines = read_text(path, max_bytes=MAX_BYTES).splitlines()
    return dict(_parsed(path, number, line) for number, line in enumerate(lines, 1))


@functools.cache  # once for each folder
def say_unchecked(folder: Path) -> None:
    """Says on standard error that a folder has no sums."""
    print(f"{folder}: made by an older version, without {NAME}: its files are not checked", file=sys.stderr)


def _line(sha256: str, name: str) -> str:
    return f"{sha256}  {name}\n"


def _sum_path(path: Path) -> Path:
    return path.with_name(path.name + ENDING)


def _parsed(path: Path, number: int, line: str) -> tuple[str, str]:
    match = _FORM.fullmatch(line)
    if match is None or PurePosixPath(match[2]).is_absolute() or ".." in PurePosixPath(match[2]).parts:
        raise InputError(
            f"it was damaged: expected a SHA-256 and the name of a file in this folder in line {number}; "
            "fetch the folder again, or make it anew",
            subject=path,
        )
    return match[2], match[1]


def _fault(folder: Path, name: str, sha256: str) -> Fault | None:
    path = folder / name
    try:
        if not path.is_file():
            return Fault(name, "missing")
        if file_sha256(path) == sha256:
            return None
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", subject=path) from None
    check_fetched(path)
    return Fault(name, "changed")


def _refusal(folder: Path, content: Content, faults: tuple[Fault, ...]) -> InputError:
    named = [f"{fault.name} ({fault.what})" for fault in faults[:_NUM_NAMED]]
    if len(faults) > _NUM_NAMED:
        named.append(f"{len(faults) - _NUM_NAMED} more")
    only_foreign = all(fault.what == "foreign" for fault in faults)
    remedy = "move what is foreign elsewhere" if only_foreign else content.remedy
    return InputError(f"expected the files that {NAME} lists. Received: {', '.join(named)}; {remedy}", subject=folder)


def _files(folder: Path, content: Content, sums: Mapping[str, str]) -> dict[str, Path]:
    return {**content.files(folder), **{name: folder / name for name in sums}}


def _state(files: Mapping[str, Path], sums: Mapping[str, str]) -> str:
    """A hash of the sums and of each file's size, times and place on the disk, which stay when a folder is renamed."""
    states = [(name, _identity(files[name])) for name in sorted(files)]
    return hashlib.sha256(repr((sorted(sums.items()), states)).encode(errors="surrogateescape")).hexdigest()


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev
