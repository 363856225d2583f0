"""An object store: addresses of it, what lies there, and files that go and come whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError, VidmodelError, cause
from vidmodel_tf.extras import import_extra

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}  # by scheme, what reads it
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file in a store, as it was when it was looked up.

    Attributes:
        url: Its address, without credentials.
        num_bytes: Its size.
        version: Changes with its content: the store's own mark, or the time when it was written.
    """

    url: str
    num_bytes: int
    version: str

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url


Place = Path | RemoteFile


class StoreError(VidmodelError):
    """A store that gives no access, or fails: a matter of no single file."""

    exit_code = 2


def is_url(text: str) -> bool:
    """Whether a text is the address of something that is not in a file system.

    Example:
        >>> is_url("s3://bucket/a.mp4"), is_url("videos/a.mp4")
        (True, False)
    """
    return _ADDRESS.match(text) is not None


def check_url(text: str) -> str:
    """The address of a file or folder in a store, without a slash at its end.

    Raises:
        InputError: It is none that is read here, or holds a user or a password.
    """
    match = _ADDRESS.fullmatch(text)
    scheme, place = (match[1].lower(), match[2].rstrip("/")) if match else ("", "")
    bucket, _, key = place.partition("/")
    if "@" in bucket:
        raise InputError(
            f"expected an address without a user or a password. Received: one of {scheme}:// with them; give them as "
            f"{PACKAGES.get(scheme, 'the package that reads it')} takes them, by the environment or a file"
        )
    if scheme not in PACKAGES:
        raise InputError(
            f"expected an address that begins with {' or '.join(f'{name}://' for name in PACKAGES)}. Received: {text!r}"
        )
    if not bucket or not key or {"", ".", ".."} & set(key.split("/")):
        raise InputError(f"expected {scheme}://BUCKET/FOLDERS/NAME. Received: {text!r}")
    return f"{scheme}://{place}"


def list_folder(url: str) -> dict[str, RemoteFile]:
    """The files of a folder by name.

    Raises:
        InputError: There is no such folder.
        StoreError: It may not be read, or the store fails.
    """
    with _told(url):
        entries = open_store(url).ls(url, detail=True, refresh=True)
    files = (_file(url, entry) for entry in entries if entry["type"] == "file")
    return {file.name: file for file in files}


def _file(folder: str, entry: dict[str, Any]) -> RemoteFile:
    name = entry["name"].rpartition("/")[2]
    marks = (entry.get(key) for key in ("ETag", "etag", "LastModified", "updated", "mtime"))
    version = next((str(mark) for mark in marks if mark), "")
    return RemoteFile(f"{folder}/{name}", int(entry["size"]), version)


def fetch(file: RemoteFile, target: Path) -> None:
    """Writes a file of a store to a path.

    Raises:
        InputError: It is gone.
        StoreError: It may not be read, is another one by now, or the store fails.
    """
    with _told(file.url):
        open_store(file.url).get_file(file.url, str(target))
    num_bytes = target.stat().st_size
    if num_bytes != file.num_bytes:
        raise StoreError(
            f"expected {file.num_bytes} bytes, as when it was looked up. Received: {num_bytes}; leave it as it is "
            "while it is read",
            subject=file.url,
        )


def put(source: Path, url: str) -> None:
    """Writes a file into a store, where it is whole or not there.

    Raises:
        InputError: There is no such bucket.
        StoreError: It may not be written, or the store fails.
    """
    with _told(url):
        open_store(url).put_file(str(source), url)


def remove(url: str) -> None:
    """Removes a file from a store, if that allows it."""
    with contextlib.suppress(Exception):
        open_store(url).rm_file(url)


def open_store(url: str) -> Any:
    """The file system of fsspec in which an address lies.

    Raises:
        InputError: A package is missing.
    """
    scheme = url.partition("://")[0]
    fsspec = import_extra("fsspec", extra="cluster", needed_for="addresses of stores")
    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise InputError(
            f"addresses of {scheme}:// need {PACKAGES[scheme]}, which is not installed ({cause(error)}): "
            f"pip install {PACKAGES[scheme]}"
        ) from None


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """What goes wrong in the block, in one line."""
    try:
        yield
    except VidmodelError:
        raise
    except FileNotFoundError:
        raise InputError("there is no such file, folder or bucket", subject=url) from None
    except PermissionError as error:
        raise StoreError(f"the store refuses access ({cause(error)})", subject=url) from None
    except Exception as error:  # each store raises exceptions of its own
        raise StoreError(f"the store fails ({type(error).__name__}: {cause(error)})", subject=url) from None
