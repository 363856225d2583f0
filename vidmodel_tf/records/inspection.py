"""What `inspect` finds in a prepared data set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

ClassCounts = dict[str, dict[str, int]]
"""{head: {class: clips}}; the class "" counts clips that are not labelled for the head."""


@dataclasses.dataclass(frozen=True)
class SplitSummary:
    """One split: its clips and their sources, how long they are together, and their classes."""

    clips: int
    sources: int
    seconds: float
    labels: ClassCounts


@dataclasses.dataclass(frozen=True)
class WordSummary:
    """One text field: how many clips have words in it, and how many tokens those have."""

    clips_with_words: int
    median_tokens: float
    max_tokens: int


@dataclasses.dataclass(frozen=True)
class Leaks:
    """What lets a model be right for the wrong reason.

    Attributes:
        sources_in_two_splits: Sources with clips in more than one split.
        same_frames: Groups of ids of clips whose stored frames are equal, byte for byte; several questions about one
            clip count once, and are left out of its id here.
    """

    sources_in_two_splits: tuple[str, ...]
    same_frames: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inspection:
    """What is in a prepared data set.

    Attributes:
        data: Its folder.
        num_clips: In all splits.
        splits: By split.
        words: By text field.
        words_from: {field: {where its words came from: classes of the clips}}. Words that one class has from another
            place than the others may give the class away. The stem of a clip's own sidecars is shown as `*`.
        balance: By head, the share of the most frequent class among the labels of the training split.
        leaks: Between splits.
        clips_of_one_picture: Ids of clips of whose stored frames more than half are one and the same picture, although
            their times differ: a still film, or a fault in decoding. Without questions, as in `Leaks`.
        contact_sheet: A picture of some clips to look at; None for words without videos.
    """

    data: Path
    num_clips: int
    splits: dict[str, SplitSummary]
    words: dict[str, WordSummary]
    words_from: dict[str, dict[str, ClassCounts]]
    balance: dict[str, float]
    leaks: Leaks
    clips_of_one_picture: tuple[str, ...]
    contact_sheet: Path | None

    def to_json(self) -> dict[str, Any]:
        """What `vidmodel inspect --json` prints."""
        sheet = None if self.contact_sheet is None else str(self.contact_sheet)
        return {**dataclasses.asdict(self), "data": str(self.data), "contact_sheet": sheet}
