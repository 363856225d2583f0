from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from vidmodel_tf.text import generate_characters
from vidmodel_tf.text.character_table import UNICODE_VERSION
from vidmodel_tf.text.characters import (
    BLOCK_SIZE,
    CharacterClass,
    class_by_code_point,
    shift_by_code_point,
    two_level_table,
)

needs_unicode_of_table = pytest.mark.skipif(
    unicodedata.unidata_version != UNICODE_VERSION,
    reason=f"the table was made with Unicode {UNICODE_VERSION}, this Python has {unicodedata.unidata_version}",
)


@pytest.mark.slow
@needs_unicode_of_table
def test_table_is_what_its_generator_writes():
    assert generate_characters.TABLE_PATH.read_text(encoding="utf-8") == generate_characters.table_source()


@needs_unicode_of_table
def test_letters_digits_and_nothing_else_make_words_and_numbers():
    for code_point, kind in enumerate(class_by_code_point().tolist()):
        category = unicodedata.category(chr(code_point))
        if kind == CharacterClass.WORD:
            assert category[0] in "LM" or category == "Nl" or unicodedata.normalize("NFKC", chr(code_point)).isalpha()
        if category[0] in "LN" and code_point != 0x640:  # tatweel
            assert kind in (CharacterClass.WORD, CharacterClass.DIGIT, CharacterClass.SINGLE), hex(code_point)
        if category[0] in "PZ":
            assert kind == CharacterClass.OTHER, hex(code_point)


@needs_unicode_of_table
def test_lower_case_is_that_of_python_where_it_has_one_character():
    lower = np.arange(0x110000) + shift_by_code_point()
    for code_point in range(0x110000):
        character = chr(code_point)
        plain = unicodedata.normalize("NFKC", character)
        if character.lower() != character and len(plain) == 1 and character != "İ":
            assert chr(lower[code_point]) in (character.lower(), plain.lower()), hex(code_point)


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("A", "a"), ("É", "é"), ("İ", "i"), ("ẞ", "ß"), ("Σ", "σ"), ("ς", "σ"), ("Ж", "ж"), ("Ａ", "a"), ("𝗕", "b"),
        ("Ⓐ", "a"), ("ｶ", "カ"), ("٣", "3"), ("９", "9"), ("①", "1"), ("ß", "ß"), ("é", "é"), ("ﬁ", "ﬁ"), ("猫", "猫"),
    ],
)  # fmt: skip
def test_lower_case_of_well_known_characters(character, expected):
    assert chr(ord(character) + shift_by_code_point()[ord(character)]) == expected


def test_lower_case_is_lower_case_and_of_the_same_class():
    shifts, classes = shift_by_code_point(), class_by_code_point()
    lower = np.arange(0x110000) + shifts
    assert not shifts[lower].any()
    np.testing.assert_array_equal(classes[lower], classes)


def test_two_level_table_holds_every_code_point_in_few_bytes():
    table = two_level_table()
    code_points = np.arange(0x110000)
    kinds = table.blocks[table.block_of[code_points // BLOCK_SIZE], code_points % BLOCK_SIZE]
    np.testing.assert_array_equal(table.class_of_kind[kinds], class_by_code_point())
    np.testing.assert_array_equal(table.shift_of_kind[kinds], shift_by_code_point())
    assert sum(array.nbytes for array in table) < 100_000
