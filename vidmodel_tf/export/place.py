"""Where exports are written: into a folder of their own, whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import is_run_folder
from vidmodel_tf.storage import atomic_folder


def check_place(out: Path, name: str = "") -> None:
    """Refuses a place that no export can be written into, before the long work.

    Args:
        out: The folder of the exported model, `saved_models/NAME`.
        name: The folder in it that is to be replaced, if any.

    Raises:
        InputError: `out` is a file or a run folder, or `out/name` is a file.
    """
    if is_run_folder(out):
        raise InputError(f"{out}: expected a folder for exported models. Received: a run folder; give another --out")
    for path in (out, out / name):
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: expected a folder for exported models. Received: a file; give another --out")


@contextlib.contextmanager
def replaced_folder(out: Path, name: str) -> Iterator[Path]:
    """Gives a folder to write into, and makes it `OUT/NAME` at the end; if something fails, the earlier one stays.

    Raises:
        InputError: As `check_place`.
    """
    check_place(out, name)
    with atomic_folder(out / name) as folder:
        yield folder
