"""Words with the time to which they belong. Whatever finds words gives cues; ranges are cut from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from vidmodel_tf.config import TEXT_FIELDS


@dataclasses.dataclass(frozen=True)
class Cue:
    """Words of one text field from a start to an end.

    Attributes:
        start_seconds: On the clock of the video.
        end_seconds: Half open; infinity for words that hold for the whole video, such as a title.
        field: One of `config.MODEL_FIELDS`.
        text: The words, without formatting.
        source: Where they came from: "manifest", "sidecar:clip.en.vtt", "tracks:eng", ...
    """

    start_seconds: float
    end_seconds: float
    field: str
    text: str
    source: str


def untimed(field: str, text: str, source: str) -> Cue:
    """Words that hold for the whole video."""
    return Cue(0.0, math.inf, field, text, source)


def cut(cues: Iterable[Cue], start_seconds: float | None, end_seconds: float | None) -> list[Cue]:
    """The cues that overlap a range.

    A cue without duration belongs to the range in which it starts.

    Args:
        cues: In any order, which is kept.
        start_seconds: Where the range starts; None: at the beginning.
        end_seconds: Where it ends (half open); None: at the end.

    Example:
        >>> cues = [Cue(0, 2, "speech", "one", ""), Cue(2, 2, "speech", "two", ""), Cue(2, 4, "speech", "three", "")]
        >>> [cue.text for cue in cut(cues, 2, 3)]
        ['two', 'three']
    """
    start = 0.0 if start_seconds is None else start_seconds
    end = math.inf if end_seconds is None else end_seconds
    return [cue for cue in cues if cue.start_seconds < end and (cue.end_seconds > start or cue.start_seconds >= start)]


def text_by_field(cues: Iterable[Cue]) -> dict[str, str]:
    """The words of every field in `config.TEXT_FIELDS`, joined by spaces, "" without words; a question if one is asked.

    Example:
        >>> text_by_field([Cue(0, 1, "speech", "one", ""), Cue(1, 2, "speech", "two", "")])["speech"]
        'one two'
    """
    texts: dict[str, list[str]] = {field: [] for field in TEXT_FIELDS}
    for cue in cues:
        texts.setdefault(cue.field, []).append(cue.text)
    return {field: " ".join(parts) for field, parts in texts.items()}


def sources_by_field(cues: Iterable[Cue]) -> dict[str, str]:
    """Where the words of each field came from, the first of them, for the fields that have words."""
    sources: dict[str, str] = {}
    for cue in cues:
        if cue.text.strip():
            sources.setdefault(cue.field, cue.source)
    return sources
