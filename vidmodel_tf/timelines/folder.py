"""A folder of timelines."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.timelines.document import SUFFIX


def timeline_paths(folder: str | Path) -> list[Path]:
    """The `NAME.timeline.json` files of a folder, by name.

    Raises:
        InputError: There is none.
    """
    # A name with a dot in front is a file that was being written when its process was killed.
    paths = sorted(path for path in Path(folder).glob(f"*{SUFFIX}") if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: expected NAME{SUFFIX} files, as `vidmodel timeline` leaves them. Received: none")
    return paths
