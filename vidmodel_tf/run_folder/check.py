"""Checks data sets, runs and exports: all contents are read anew, whatever is remembered. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import (
    ENDING,
    NAME,
    Checked,
    Content,
    compare,
    read_single_sums,
    read_sums,
    say_unchecked,
)
from vidmodel_tf.records import layout as data_set
from vidmodel_tf.run_folder import layout

_CACHE = Content((), "")  # nothing in it is foreign: what is damaged is made again
# What tells what a folder is.
_TELLING = (data_set.FEATURES, layout.WEIGHTS, layout.GRAPH, layout.ONNX_MODEL, layout.OPENVINO_MODEL, "*.tflite")


@dataclasses.dataclass(frozen=True)
class CheckedFolder:
    """A folder, and what a check of it has found."""

    path: Path
    checked: Checked

    def to_json(self) -> dict[str, object]:
        """`{"path", "num_whole", "faults": [{"name", "what"}]}`."""
        return {"path": str(self.path), **dataclasses.asdict(self.checked)}


def check(path: str | Path) -> list[CheckedFolder]:
    """Reads all files that have sums and compares them with these.

    A data set, run or export without sums, of an older version, is named on standard error.

    Args:
        path: A data set with its feature caches, a run, a version of an export, or a folder of any of them, such as
            `saved_models/NAME`.

    Returns:
        The folders that have sums, in the order of their names.

    Raises:
        InputError: None has, or the sums themselves cannot be read.
    """
    return [CheckedFolder(folder, _checked(folder)) for folder in _folders(Path(path))]


def _folders(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError("expected a data set, a run or an export. There is nothing at this path", subject=path)
    caches = (f"**/features/*/*/*{ENDING}", f"**/*.partial/*{ENDING}")
    sums = [*path.rglob(NAME), *(file for pattern in caches for file in path.glob(pattern))]
    if not sums:
        raise InputError(
            f"expected a data set, a run or an export with {NAME}. Received: none; it was made by an older version, "
            "or is not finished",
            subject=path,
        )
    for folder in sorted({file.parent for name in _TELLING for file in path.rglob(name)}):
        if not (folder / NAME).exists():
            say_unchecked(folder)
    return sorted({file.parent for file in sums})


def _checked(folder: Path) -> Checked:
    sums = read_sums(folder)
    if sums is None:
        return compare(folder, _CACHE, read_single_sums(folder))
    return compare(folder, _content(sums), sums)


def _content(sums: Mapping[str, str]) -> Content:
    """What the folder is, by what is listed: a file that tells it may be missing."""
    if data_set.FEATURES in sums:
        return data_set.CONTENT
    if layout.WEIGHTS in sums:
        return layout.CONTENT
    return layout.CONTENT_OF_VERSION if layout.GRAPH in sums else layout.CONTENT_OF_FILES
