"""A data set in a store: made in a folder here, then uploaded so that a half of it never looks whole."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import NAME
from vidmodel_tf.progress import track
from vidmodel_tf.records.layout import REPORT
from vidmodel_tf.records.prepare_report import PrepareReport, read_report
from vidmodel_tf.remote.store import RemoteFile, fetch, list_folder, put, remove
from vidmodel_tf.user_cache import cache_folder

_PROBE = ".vidmodel"  # what is hidden belongs to no data set


class RemoteFolder:
    """The folder of a data set in a store.

    Args:
        url: As `check_url` gives it.

    Raises:
        InputError: There is no such bucket.
        StoreError: The store gives no access, or it cannot be written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        key = hashlib.sha256(url.encode()).hexdigest()[:16]
        # It has the same name, which stands in the names of its files.
        self.beside = cache_folder() / "uploads" / key / url.rpartition("/")[2]
        self._files = {name: file for name, file in self._list().items() if not name.startswith(".")}
        if not self.is_whole():
            self._check_writable()

    def __str__(self) -> str:
        return self.url

    def is_whole(self) -> bool:
        """Whether all its files have been uploaded."""
        return NAME in self._files

    def read_report(self) -> PrepareReport:
        """What became of the clips of a data set that is whole.

        Raises:
            InputError: It is no data set.
        """
        if REPORT not in self._files:
            raise self._is_anothers()
        with tempfile.TemporaryDirectory() as folder:
            fetch(self._files[REPORT], Path(folder) / REPORT)
            return read_report(Path(folder))

    def upload(self) -> None:
        """Uploads what has been made, the sums last, and removes it here.

        Raises:
            InputError: Files of others lie there.
            StoreError: The store gives no access.
        """
        paths = sorted(self.beside.iterdir(), key=lambda path: (path.name == NAME, path.name))
        if set(self._files) - {path.name for path in paths}:  # else they would be taken for a part of it
            raise self._is_anothers()
        for path in track(paths, "uploading", len(paths)):
            put(path, f"{self.url}/{path.name}")
        remove(f"{self.url}/{_PROBE}")
        shutil.rmtree(self.beside.parent, ignore_errors=True)

    def _list(self) -> dict[str, RemoteFile]:
        try:
            return list_folder(self.url)
        except InputError:  # there is no such folder yet, or no such bucket
            return {}

    def _check_writable(self) -> None:
        """Now, and not after hours of work."""
        with tempfile.TemporaryDirectory() as folder:
            probe = Path(folder) / _PROBE
            probe.write_text("vidmodel prepare writes here\n")
            put(probe, f"{self.url}/{_PROBE}")

    def _is_anothers(self) -> InputError:
        return InputError(
            f"{self.url} exists already and is not a prepared data set: expected a folder that does not exist yet; "
            "give another --out"
        )
