"""The heads of a model and the class names of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RESERVED_HEADS = frozenset({"frames", "token_ids", "text", "id", "source", "features"})
RESERVED_ENDINGS = ("_label", "_scores")


class Labels(dict[str, list[str]]):
    """`{head: class names by id}`, and which of the heads are multi-label.

    Where no head is multi-label, a plain `{head: [names]}` is accepted in its place everywhere.

    Args:
        names: Class names of each head, by class id.
        multi_label: Heads whose clips can have any number of classes (sigmoid scores in place of softmax).
    """

    def __init__(self, names: Mapping[str, Iterable[str]], multi_label: Iterable[str] | None = None) -> None:
        super().__init__({head: list(classes) for head, classes in names.items()})
        self.multi_label: frozenset[str] = frozenset(
            getattr(names, "multi_label", ()) if multi_label is None else multi_label
        )
        strangers = self.multi_label - set(self)
        if strangers:
            raise ValueError(f"multi_label: expected some of the heads {list(self)}. Received: {sorted(strangers)}")

    def __repr__(self) -> str:
        return f"Labels({dict(self)!r}, multi_label={sorted(self.multi_label)!r})"


def head_fault(head: str) -> str | None:
    """What is wrong with the name of a head; None where nothing is.

    Example:
        >>> [head for head in ("mood", "Mood", "text", "mood_scores") if head_fault(head) is None]
        ['mood']
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", head):
        return f"expected a head's name of small letters, digits and '_', a letter first. Received: {head!r}"
    if head in RESERVED_HEADS:
        return f"the head's name {head!r} is reserved (with {', '.join(sorted(RESERVED_HEADS - {head}))}); rename it"
    if head.endswith(RESERVED_ENDINGS):
        return f"a head's name must not end in {' or '.join(RESERVED_ENDINGS)}. Received: {head!r}; rename it"
    return None
