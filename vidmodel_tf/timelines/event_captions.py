"""`NAME.vtt`: the events of one video as WebVTT captions, so that any player shows them over it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import pysubs2

from vidmodel_tf.scoring.event import Event
from vidmodel_tf.storage import write_text


def write_event_captions(path: str | Path, events: Sequence[Event]) -> None:
    """Writes a cue for each event, "LABEL SCORE", from its start to its end; whole or not at all."""
    captions = pysubs2.SSAFile()
    captions.events = [
        pysubs2.SSAEvent(
            start=pysubs2.make_time(s=event.start_seconds),
            end=pysubs2.make_time(s=event.end_seconds),
            text=_text(event),
        )
        for event in events
    ]
    # Without `keep_ssa_tags` pysubs2 would leave out whatever a label has between braces.
    write_text(path, captions.to_string("vtt", keep_ssa_tags=True))


def _text(event: Event) -> str:
    """One line. pysubs2 would take a backslash for the start of a line break; players know it by its number."""
    label = " ".join(event.label.split())
    return html.escape(f"{label} {event.score:.2f}", quote=False).replace("\\", "&#92;")
