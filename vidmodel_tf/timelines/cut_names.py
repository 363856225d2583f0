"""Names of files for events: sorted by time, legible, and safe on every file system whatever the labels are."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from vidmodel_tf.scoring.event import Event

MAX_CHARACTERS = 40  # of a rule or label
MAX_BYTES = 80  # likewise: a file system counts 255 bytes a name


def cut_names(events: Sequence[Event]) -> tuple[str, ...]:
    """A name for each event, without a suffix, all different also where case does not count.

    Example:
        >>> event = Event("e1", "fights?", "label", "a/b: 打架", 3725.5, 3730.0, 3726.0, 0.9)
        >>> cut_names([event])
        ('01h02m05s500_fights_a_b_打架',)
    """
    names: list[str] = []
    taken: set[str] = set()
    for event in events:
        name = "_".join(
            [_time(event.start_seconds), *dict.fromkeys(filter(None, map(_safe, (event.rule, event.label))))]
        )
        while name.casefold() in taken:
            name = f"{name}_{_safe(event.id) or 'again'}"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}h{minutes:02d}m{milliseconds // 1000:02d}s{milliseconds % 1000:03d}"


def _safe(text: str) -> str:
    """Letters, digits and accents of any script; one "_" for whatever else stands between them."""
    text = unicodedata.normalize("NFC", text)
    kept = "".join(character if unicodedata.category(character)[0] in "LNM" else " " for character in text)
    short = "_".join(kept.split())[:MAX_CHARACTERS]
    return short.encode()[:MAX_BYTES].decode(errors="ignore").strip("_")
