"""A folder of cuts, and the list of those files in it that are ours: others are never touched."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.storage import read_json, write_json

LIST_NAME = "clips.json"

Range = tuple[float, float]  # start and end, seconds


class CutFolder:
    """The cuts of one video, as the folder's list knows them.

    Args:
        path: The folder; may be missing.
        video_sha256: Of the video's content: cuts of another video count as none.

    Raises:
        InputError: The list was damaged.
    """

    def __init__(self, path: Path, video_sha256: str) -> None:
        self.path = path
        self._video_sha256 = video_sha256
        self._ranges: dict[str, Range | None] = {}  # None: begun
        if self._list_path.exists():
            self._read()

    def keep_only(self, names: Collection[str]) -> None:
        """Removes all of our files but these; the folder too, where it is empty then."""
        for name in [name for name in self._ranges if name not in names]:
            (self.path / name).unlink(missing_ok=True)
            del self._ranges[name]
        if self._ranges:
            self._write()
            return
        self._list_path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is missing, or others have files in it
            self.path.rmdir()

    def has(self, name: str, part: Range) -> bool:
        """Whether a file is there, whole, and shows this range."""
        return self._ranges.get(name) == part and (self.path / name).is_file()

    def begin(self, name: str) -> None:
        """Says that a file is going to be ours, before it is written: a kill leaves nothing unknown."""
        self._ranges[name] = None
        self._write()

    def finish(self, name: str, part: Range) -> None:
        """Says that a file is there."""
        self._ranges[name] = part
        self._write()

    @property
    def _list_path(self) -> Path:
        return self.path / LIST_NAME

    def _read(self) -> None:
        value = read_json(self._list_path)
        try:
            is_same = value["video"] == self._video_sha256
            for name, part in value["files"].items():
                if Path(name).name == name:  # a list that was tampered with reaches no other folder
                    self._ranges[name] = (part[0], part[1]) if is_same and part is not None else None
        except (KeyError, TypeError, AttributeError, IndexError):
            raise InputError(
                f"{self._list_path}: expected the list of cuts that an earlier run left there. "
                f"Received: {shown(value)}; delete the folder"
            ) from None

    def _write(self) -> None:
        write_json(self._list_path, {"video": self._video_sha256, "files": self._ranges})
