"""The settings that an exported file needs: those of its run, which lie in the file's folder."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.errors import InputError
from vidmodel_tf.integrity import check_sums
from vidmodel_tf.run_folder.layout import CONTENT_OF_FILES, is_run_folder
from vidmodel_tf.run_folder.run import Run, read_settings_of_run


def read_settings_beside(path: Path) -> Run:
    """Reads the settings that `vidmodel export` puts beside a file, when the file and they are as they were written.

    Raises:
        InputError: There are none, or a file in the folder is not as it was written.
    """
    if not is_run_folder(path.parent):
        raise InputError(f"{path}: expected the settings that `vidmodel export` writes beside it. Received: none")
    check_sums(path.parent, CONTENT_OF_FILES)
    return read_settings_of_run(path.parent)
