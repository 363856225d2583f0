"""The settings that an exported file needs: those of its run, which lie in the file's folder."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.run_folder.layout import is_run_folder
from vidmodel_tf.run_folder.run import Run, read_settings_of_run


def read_settings_beside(path: Path) -> Run:
    """Reads the settings that `vidmodel export` puts beside a file.

    Raises:
        InputError: There are none.
    """
    if not is_run_folder(path.parent):
        raise InputError(f"{path}: expected the settings that `vidmodel export` writes beside it. Received: none")
    return read_settings_of_run(path.parent)
