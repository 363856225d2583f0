"""A folder of exported files, with what they need beside them and a report on what they are worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from vidmodel_tf.export.exported import Exported
from vidmodel_tf.export.place import replaced_folder
from vidmodel_tf.export.report import FormReport
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.integrity import write_sums
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.run import write_settings
from vidmodel_tf.storage import write_json


def write_measured_folder(
    trained: TrainedRun,
    place: Path,
    model: str,
    write: Callable[[Path], None],
    measure: Callable[[Path], FormReport],
) -> Exported:
    """Writes the settings of a run, files of its model, their sums and `report.json`, all of it or nothing.

    Args:
        trained: The run.
        place: The folder; an earlier one is replaced as a whole.
        model: The file in it that people are best given.
        write: Writes the files into a folder that has the settings.
        measure: Opens them there and measures them.

    Raises:
        InputError: The folder cannot be there, see `replaced_folder`.
    """
    with replaced_folder(place.parent, place.name) as folder:
        write_settings(dataclasses.replace(trained.run, path=folder))
        write(folder)
        write_sums(folder, layout.CONTENT_OF_FILES)
        report = measure(folder)
        write_json(folder / layout.REPORT, report.to_json())
    return Exported(place, place / model, report)
