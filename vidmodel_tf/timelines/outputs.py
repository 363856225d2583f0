"""The files that `timeline` and `decide` leave of one video, side by side in one folder."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.timelines.document import SUFFIX, Document, write_document
from vidmodel_tf.timelines.event_captions import write_event_captions
from vidmodel_tf.timelines.event_table import write_event_table


def write_outputs(folder: str | Path, name: str, document: Document) -> tuple[Path, ...]:
    """Writes `NAME.timeline.json`, `NAME.csv` and `NAME.vtt`, each whole or not at all.

    Args:
        folder: Is made where it is missing.
        name: Of the video among those in the folder.
        document: What is known of the video.

    Returns:
        The files.
    """
    folder = Path(folder)
    json_path, table, captions = (folder / f"{name}{suffix}" for suffix in (SUFFIX, ".csv", ".vtt"))
    write_event_table(table, document.events)
    write_event_captions(captions, document.events)
    write_document(json_path, document)  # last: whoever finds it finds the others
    return json_path, table, captions
