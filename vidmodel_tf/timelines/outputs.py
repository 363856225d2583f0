"""The files that `timeline` and `decide` leave of one video, side by side in one folder."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.pages.timeline_page import relative_href, render_timeline_page
from vidmodel_tf.scoring.policy import Policy
from vidmodel_tf.storage import write_text
from vidmodel_tf.timelines.document import SUFFIX, Document, write_document
from vidmodel_tf.timelines.event_captions import write_event_captions
from vidmodel_tf.timelines.event_table import write_event_table


def write_outputs(
    folder: str | Path, name: str, document: Document, *, policy: Policy | None = None
) -> tuple[Path, ...]:
    """Writes `NAME.timeline.json`, `NAME.html`, `NAME.csv` and `NAME.vtt`, each whole or not at all.

    Args:
        folder: Is made where it is missing.
        name: Of the video among those in the folder.
        document: What is known of the video.
        policy: By which its events were found; the page shows its rules. None: the page shows the events alone.

    Returns:
        The files, in this order.

    Raises:
        InputError: The policy watches a head or class that the document does not have.
    """
    folder = Path(folder)
    json_path, page, table, captions = (folder / f"{name}{suffix}" for suffix in (SUFFIX, ".html", ".csv", ".vtt"))
    rules = None if policy is None else policy.to_json()
    # The page first: it alone refuses what does not fit together. The JSON last: whoever finds it finds all the others.
    write_text(page, render_timeline_page(document.to_json(), relative_href(document.video.path, folder), policy=rules))
    write_event_table(table, document.events)
    write_event_captions(captions, document.events)
    write_document(json_path, document)
    return json_path, page, table, captions
