"""Text as it is drawn from left to right, for a drawer that puts one character after the other as it comes.

Hebrew and Arabic are read from right to left, numbers and Latin words in them from left to right. Arabic letters do not
join: OpenCV's font has only the forms in which they stand alone.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence

RIGHT_TO_LEFT = ("R", "AL")
MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def visual_order(text: str) -> str:
    """One line of text, its characters in the order in which they stand from left to right.

    By the Unicode Bidirectional Algorithm (Unicode Standard Annex 9) without explicit controls and isolates, which
    names hardly hold.

    Example:
        >>> visual_order("fight 0.93")
        'fight 0.93'
        >>> visual_order("אבג 12")
        '12 גבא'
    """
    if not any(unicodedata.bidirectional(character) in RIGHT_TO_LEFT for character in text):
        return text
    levels = _levels(text)
    characters = [
        character.translate(MIRRORED) if level % 2 else character for character, level in zip(text, levels, strict=True)
    ]
    for lowest in range(max(levels), 0, -1):
        for start, end in _runs([level >= lowest for level in levels]):
            characters[start:end] = characters[start:end][::-1]
            levels[start:end] = levels[start:end][::-1]
    return "".join(characters)


def _levels(text: str) -> list[int]:
    """How deep each character lies: odd ones run from right to left. The names of rules are those of the Annex."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    base = 1 if next((kind for kind in kinds if kind in ("L", *RIGHT_TO_LEFT)), "L") != "L" else 0  # P2, P3
    edge = "R" if base else "L"
    kinds = _resolve_weak(kinds, edge)
    for start, end in _runs([kind not in ("L", "R", "EN", "AN") for kind in kinds]):  # N1, N2
        before = edge if start == 0 else _direction(kinds[start - 1])
        after = edge if end == len(kinds) else _direction(kinds[end])
        kinds[start:end] = [before if before == after else edge] * (end - start)
    deeper = {"L": base % 2, "R": 1 - base % 2, "EN": 2 - base % 2, "AN": 2 - base % 2}  # I1, I2
    return [base + deeper[kind] for kind in kinds]


def _direction(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _resolve_weak(kinds: Sequence[str], edge: str) -> list[str]:
    """Marks, and what stands in and beside numbers."""
    kinds, last, strong = list(kinds), edge, edge
    for number, kind in enumerate(kinds):
        kinds[number] = last if kind == "NSM" else kind  # W1
        last = kinds[number]
        if last in ("L", *RIGHT_TO_LEFT):
            strong = last
        elif last == "EN" and strong == "AL":
            kinds[number] = "AN"  # W2
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for number in range(1, len(kinds) - 1):  # W4
        before, kind, after = kinds[number - 1 : number + 2]
        if before == after and (kind, before) in (("ES", "EN"), ("CS", "EN"), ("CS", "AN")):
            kinds[number] = before
    for start, end in _runs([kind == "ET" for kind in kinds]):  # W5
        if "EN" in (*kinds[max(start - 1, 0) : start], *kinds[end : end + 1]):
            kinds[start:end] = ["EN"] * (end - start)
    strong = edge
    for number, kind in enumerate(kinds):  # W7
        strong = kind if kind in ("L", "R") else strong
        if kind == "EN" and strong == "L":
            kinds[number] = "L"
    return kinds


def _runs(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """Where neighbours are all true: first and one after the last."""
    edges = [number for number, (a, b) in enumerate(itertools.pairwise([False, *flags, False])) if a != b]
    return list(zip(edges[::2], edges[1::2], strict=True))
