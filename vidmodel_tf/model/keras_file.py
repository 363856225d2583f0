"""What a file of a Keras model holds, looked at before any of it is unpacked, read into memory or built.

Keras refuses bombs too, but only from 4 GiB on, and a hundred or a thousand times the size of the file.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import h5py

from vidmodel_tf.errors import InputError, cause

MAX_CONFIG_BYTES = 64 * 2**20
MAX_EXPANSION = 4  # Keras does not compress weights; those that somebody compressed are half as large
_UNSUSPICIOUS = 64 * 2**20  # bytes that nobody needs to fear, whatever they come from
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


def read_keras_config(path: str | Path) -> Any:
    """The serialised model in a `.keras` file, as JSON values, once it is clear what the file unpacks to.

    Raises:
        InputError: It is no such file, is damaged, or unpacks to far more than it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            if archive.getinfo(_CONFIG).file_size > MAX_CONFIG_BYTES:
                raise InputError(
                    f"expected at most {MAX_CONFIG_BYTES:,} bytes of {_CONFIG}. "
                    f"Received: {archive.getinfo(_CONFIG).file_size:,}",
                    subject=path,
                )
            if _WEIGHTS in archive.namelist():
                with _opened(archive, archive.getinfo(_WEIGHTS), Path(path)) as weights:
                    _check_arrays(weights, path)
            return json.loads(archive.read(_CONFIG))
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and JSON each raise their own
        raise InputError(f"expected a Keras model in {path}. Received: {cause(error)}") from error


def check_weights_file(path: str | Path) -> None:
    """Refuses an HDF5 file whose arrays are far larger than what it holds of them.

    Raises:
        InputError: It is one, or is damaged.
    """
    with Path(path).open("rb") as file:
        _check_arrays(file, path)


def _check_arrays(file: io.RawIOBase | io.BufferedIOBase, subject: str | Path) -> None:
    sizes: list[int] = []

    def note(_, found: h5py.Group | h5py.Dataset) -> None:
        if isinstance(found, h5py.Dataset):
            sizes.append(found.size * found.dtype.itemsize)

    try:
        with h5py.File(file, "r") as weights:
            weights.visititems(note)
    except Exception as error:  # HDF5 raises whatever it likes
        raise InputError(f"the file is damaged: {cause(error)}", subject=subject) from error
    num_bytes = file.seek(0, io.SEEK_END)
    if sum(sizes) > max(MAX_EXPANSION * num_bytes, _UNSUSPICIOUS):
        raise InputError(
            f"expected weights of at most {MAX_EXPANSION} times the {num_bytes:,} bytes of their file. "
            f"Received: {sum(sizes):,} bytes",
            subject=subject,
        )


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> io.RawIOBase | io.BufferedIOBase:
    """A member to read from anywhere. As Keras stores it, it need not be read into memory for that."""
    if info.compress_type != zipfile.ZIP_STORED:
        return io.BytesIO(archive.read(info))
    file = path.open("rb")
    file.seek(info.header_offset + 26)
    name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
    return _Section(file, info.header_offset + 30 + name_bytes + extra_bytes, info.file_size)


class _Section(io.RawIOBase):
    """A stretch of a file, as a file of its own."""

    def __init__(self, file: io.BufferedReader, start: int, num_bytes: int) -> None:
        self._file, self._start, self._num_bytes, self._position = file, start, num_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._num_bytes}[whence]
        return self._position

    def readinto(self, buffer) -> int:
        self._file.seek(self._start + self._position)
        left = max(0, self._num_bytes - self._position)
        num_bytes = self._file.readinto(memoryview(buffer)[:left])
        self._position += num_bytes
        return num_bytes

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_members(archive: zipfile.ZipFile, path: str | Path) -> None:
    """No more than what a member claims is ever unpacked of it."""
    num_bytes, claimed = Path(path).stat().st_size, sum(info.file_size for info in archive.infolist())
    if claimed > max(MAX_EXPANSION * num_bytes, _UNSUSPICIOUS):
        raise InputError(
            f"expected a file that unpacks to at most {MAX_EXPANSION} times its {num_bytes:,} bytes. "
            f"Received: one that claims to hold {claimed:,}",
            subject=path,
        )
