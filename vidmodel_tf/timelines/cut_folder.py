"""A folder of cuts, and the list of those files in it that are ours: others are never touched."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.storage import read_json, remove_leftovers_of, write_json
from vidmodel_tf.timelines.cut import Cut

LIST_NAME = "clips.json"

Range = tuple[float, float]  # start and end, seconds


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to be cut out.

    Attributes:
        seconds: The event, from its start to its end.
        is_copy: Whether the packets are taken as they are, from the key frame before on.
    """

    seconds: Range
    is_copy: bool = False


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
        self._entries: dict[str, dict[str, Any] | None] = {}  # None: begun
        if self._list_path.exists():
            self._read()

    def keep_only(self, names: Collection[str]) -> None:
        """Removes all of our files but these, and what killed processes left; the folder too, where it is empty then.

        What is being written is taken for left behind only after a day.
        """
        for name in self._entries:
            remove_leftovers_of(self.path / name)
        for name in [name for name in self._entries if name not in names]:
            (self.path / name).unlink(missing_ok=True)
            del self._entries[name]
        if self._entries:
            self._write()
            return
        self._list_path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is missing, or others have files in it
            self.path.rmdir()

    def find(self, name: str, wanted: Wanted) -> Cut | None:
        """The cut that is there, if it is whole and what is wanted."""
        entry = self._entries.get(name)
        if entry is None or not (self.path / name).is_file():
            return None
        if entry["event"] != [*wanted.seconds] or entry["copied"] != wanted.is_copy:
            return None
        return Cut(self.path / name, entry["start_seconds"], entry["end_seconds"], entry["num_frames"])

    def begin(self, *names: str) -> None:
        """Says that files are going to be ours, before they are written: a kill leaves nothing unknown."""
        self._entries |= dict.fromkeys(names)
        self._write()

    def finish(self, wanted: Wanted, cut: Cut) -> None:
        """Says that a file is there."""
        self._entries[cut.path.name] = {
            "event": [*wanted.seconds],
            "copied": wanted.is_copy,
            "start_seconds": cut.start_seconds,
            "end_seconds": cut.end_seconds,
            "num_frames": cut.num_frames,
        }
        self._write()

    @property
    def _list_path(self) -> Path:
        return self.path / LIST_NAME

    def _read(self) -> None:
        value = read_json(self._list_path)
        try:
            is_same = value["video"] == self._video_sha256
            for name, entry in value["files"].items():
                if Path(name).name == name:  # a list that was tampered with reaches no other folder
                    self._entries[name] = _checked(entry) if is_same else None
        except (KeyError, TypeError, AttributeError):
            raise InputError(
                f"{self._list_path}: expected the list of cuts that an earlier run left there. "
                f"Received: {shown(value)}; delete the folder"
            ) from None

    def _write(self) -> None:
        write_json(self._list_path, {"video": self._video_sha256, "files": self._entries})


def _checked(entry: dict[str, Any] | None) -> dict[str, Any] | None:
    """An entry that has all that is read of it."""
    names = ("event", "copied", "start_seconds", "end_seconds", "num_frames")
    return None if entry is None else {name: entry[name] for name in names}
