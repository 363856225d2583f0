"""The class and the lower case of every character, read from the committed table."""

from __future__ import annotations

import enum
import functools
import re
from typing import NamedTuple

import numpy as np

from vidmodel_tf.text.character_table import CLASSES, SHIFTS

NUM_CODE_POINTS = 0x110000
BLOCK_SIZE = 128  # of the two-level table; the power of two that makes it smallest


class CharacterClass(enum.IntEnum):
    """What a character does.

    The order matters: from WORD on, characters belong to tokens; from SINGLE on, each is a token of its own.
    """

    OTHER = 0  # separates tokens
    IGNORED = 1  # removed before tokenizing
    WORD = 2  # a run of these is one token: letters and their combining marks
    DIGIT = 3  # a run of these is one token
    FLAG = 4  # a pair is a token: regional indicators
    SINGLE = 5  # emoji, and the characters of scripts written without spaces
    MARKER = 6  # U+0001 to U+0008 begin a field


class TwoLevelTable(NamedTuple):
    """All code points in about 80 KB: `kind = blocks[block_of[c // 128], c % 128]`."""

    block_of: np.ndarray  # uint16 [8704]
    blocks: np.ndarray  # uint16 [blocks, 128]
    class_of_kind: np.ndarray  # int32 [kinds]
    shift_of_kind: np.ndarray  # int32 [kinds]: what is added to the code point to make it lower case


@functools.cache
def class_by_code_point() -> np.ndarray:
    """The `CharacterClass` of every code point, uint8 [1114112]; do not write to it."""
    classes = np.zeros(NUM_CODE_POINTS, np.uint8)
    for name, ranges in CLASSES.items():
        for first, last in parse_ranges(ranges):
            classes[first : last + 1] = CharacterClass[name.upper()]
    return classes


@functools.cache
def shift_by_code_point() -> np.ndarray:
    """What makes every code point lower case when it is added, int32 [1114112]; do not write to it."""
    shifts = np.zeros(NUM_CODE_POINTS, np.int32)
    for first, last, step, shift in re.findall(r"(\w+)-(\w+)/(\d)([+-]\w+)", SHIFTS):
        shifts[int(first, 16) : int(last, 16) + 1 : int(step)] = int(shift, 16)
    return shifts


@functools.cache
def translation() -> dict[int, int | None]:
    """For `str.translate`: lower case, and without the ignored characters."""
    shifts = shift_by_code_point()
    lower = {int(code_point): int(code_point + shifts[code_point]) for code_point in np.flatnonzero(shifts)}
    ignored = np.flatnonzero(class_by_code_point() == CharacterClass.IGNORED)
    return lower | dict.fromkeys(ignored.tolist())


def regex_set(character_class: CharacterClass) -> str:
    """The class as a set in a regular expression, `[a-z...]`."""
    pairs = parse_ranges(CLASSES[character_class.name.lower()])
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in pairs) + "]"


def parse_ranges(ranges: str) -> list[tuple[int, int]]:
    """`"41-5A AA-AA"` as [(0x41, 0x5A), (0xAA, 0xAA)]; both ends belong to the range."""
    return [(int(first, 16), int(last, 16)) for first, last in (item.split("-") for item in ranges.split())]


@functools.cache
def two_level_table() -> TwoLevelTable:
    """The table in the compact form that is built into the graph."""
    # Both packed into one number, because np.unique is ten times slower over pairs.
    packed = class_by_code_point() + (shift_by_code_point().astype(np.int64) << 8)
    kinds, kind_by_code_point = np.unique(packed, return_inverse=True)
    by_block = kind_by_code_point.reshape(-1, BLOCK_SIZE).astype(np.uint16)
    blocks, block_of = np.unique(by_block, axis=0, return_inverse=True)
    return TwoLevelTable(
        block_of=block_of.reshape(-1).astype(np.uint16),
        blocks=blocks,
        class_of_kind=(kinds & 0xFF).astype(np.int32),
        shift_of_kind=(kinds >> 8).astype(np.int32),
    )
