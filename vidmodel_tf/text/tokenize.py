"""Tokenizes strings in Python. `tokenize_graph.py` implements the same rule as a TensorFlow graph."""

from __future__ import annotations

import functools

from nltk.tokenize import RegexpTokenizer

from vidmodel_tf.text.characters import CharacterClass, regex_set, translation
from vidmodel_tf.text.fields import split_fields


def tokenize(text: str) -> list[str]:
    """Splits a text of any language into lower-case tokens.

    A token is a word (letters with their combining marks), a number, an emoji or a flag, or one character of a script
    that is written without spaces (Han, kana, Thai and its neighbours, ...). Everything else separates tokens.

    Example:
        >>> tokenize("Top 10 GOALS, 进球 ⚽!")
        ['top', '10', 'goals', '进', '球', '⚽']
    """
    return _tokenizer().tokenize(text.translate(translation()))


def tokenize_fields(joined: str, num_fields: int) -> list[list[str]]:
    """The tokens of each field of a string that `join_fields` made (or of a bare string, the first field)."""
    return [tokenize(text) for text in split_fields(joined, num_fields)]


@functools.cache
def _tokenizer() -> RegexpTokenizer:
    word, digit, flag, single = (
        regex_set(kind)
        for kind in (CharacterClass.WORD, CharacterClass.DIGIT, CharacterClass.FLAG, CharacterClass.SINGLE)
    )
    return RegexpTokenizer(f"{word}+|{digit}+|{flag}{{1,2}}|{single}")
