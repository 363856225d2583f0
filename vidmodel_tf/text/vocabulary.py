"""The words that a model knows, and their ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from nltk.probability import FreqDist

from vidmodel_tf.config import MAX_VOCABULARY_SIZE, TEXT_FIELDS
from vidmodel_tf.errors import InputError
from vidmodel_tf.storage import check_no_device, check_size, write_text
from vidmodel_tf.text.fields import check_fields, check_text_length, resolve_budgets, share_positions
from vidmodel_tf.text.tokenize import tokenize, tokenize_fields

MAX_BYTES = 64 * 2**20  # of the file
PADDING_ID = 0
UNKNOWN_ID = 1
PADDING_LINE = "[PAD]"  # brackets separate tokens, so no token is equal to a line in brackets
UNKNOWN_LINE = "[UNK]"


class Vocabulary:
    """Words by id.

    Id 0 is padding, 1 any unknown word, then one marker a field, then the words; line i of the file is id i.

    Args:
        words: Those after the markers, by id.
        fields: The text fields in the order in which they are joined.

    Raises:
        InputError: A word comes twice or cannot be a token, or the fields do not fit.
    """

    def __init__(self, words: Sequence[str], fields: Sequence[str]) -> None:
        check_fields(fields)
        self.fields = tuple(fields)
        markers = (f"[{field.upper()}]" for field in self.fields)
        self.lines = (PADDING_LINE, UNKNOWN_LINE, *markers, *words)
        self._ids = {line: token_id for token_id, line in enumerate(self.lines)}
        _check_words(self.words)
        if len(self._ids) < len(self.lines):
            repeated, _ = FreqDist(self.lines).most_common(1)[0]
            raise InputError(f"vocabulary: expected every line once. Received twice: {repeated!r}")

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def words(self) -> tuple[str, ...]:
        """The words without what stands before them."""
        return self.lines[2 + len(self.fields) :]

    def ids_of(self, words: Iterable[str]) -> list[int]:
        """The ids of words, `UNKNOWN_ID` of those that it does not have."""
        return [self._ids.get(word, UNKNOWN_ID) for word in words]

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[Mapping[str, str]],
        fields: Sequence[str] = TEXT_FIELDS[:4],
        max_size: int = 20_000,
        min_count: int = 1,
    ) -> Self:
        """Counts the words of texts by field.

        Args:
            texts: One mapping a clip; fields that are not in `fields` are not read.
            fields: The text fields in the order in which they are joined.
            max_size: Ids at most, the reserved ones among them.
            min_count: A word that comes less often is unknown.
        """
        counts = count_words(texts, fields)
        frequent = [(-count, word) for word, count in counts.items() if count >= min_count]
        num_words = max(0, min(max_size, MAX_VOCABULARY_SIZE) - 2 - len(fields))
        return cls([word for _, word in sorted(frequent)[:num_words]], fields)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            InputError: The file cannot be read or is no vocabulary.
        """
        lines = _read_lines(Path(path))
        if lines[:2] != [PADDING_LINE, UNKNOWN_LINE]:
            raise InputError(
                f"{path}: expected a vocabulary that begins with the lines {PADDING_LINE} and {UNKNOWN_LINE}. "
                f"Received: {lines[:2]}"
            )
        markers = [line for line in lines if re.fullmatch(r"\[[A-Z][A-Z0-9_]*\]", line)][2:]
        fields = [marker[1:-1].lower() for marker in markers]
        if lines[2 : 2 + len(fields)] != markers:
            raise InputError(f"{path}: expected the fields' markers {markers} right after {UNKNOWN_LINE}")
        try:
            return cls(lines[2 + len(fields) :], fields)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def save(self, path: str | Path) -> None:
        """Writes one line an id, UTF-8."""
        write_text(path, "".join(f"{line}\n" for line in self.lines))

    def encode(self, joined: str, num_tokens: int, budgets: Sequence[int] = ()) -> np.ndarray:
        """The token ids of a joined string (or of a bare one, the first field).

        Args:
            joined: From `fields.join_fields`.
            num_tokens: L.
            budgets: Positions that each field may be sure of; empty: L in equal parts.

        Returns:
            int32 [L]: each field that has words as its marker and their ids; padded with 0 on the right.

        Raises:
            InputError: The string is longer than `fields.MAX_TEXT_BYTES`, or the budgets do not fit.
        """
        check_text_length(joined)
        budgets = resolve_budgets(num_tokens, len(self.fields), budgets)
        tokens = tokenize_fields(joined, len(self.fields))
        lengths = [len(words) + 1 if words else 0 for words in tokens]
        ids: list[int] = []
        for field, share in enumerate(share_positions(lengths, budgets, num_tokens)):
            if share:
                ids.append(UNKNOWN_ID + 1 + field)
                ids.extend(self.ids_of(tokens[field][: share - 1]))
        return np.array(ids + [PADDING_ID] * (num_tokens - len(ids)), np.int32)


def count_words(texts: Iterable[Mapping[str, str]], fields: Sequence[str]) -> FreqDist[str]:
    """How often each word comes in some fields of texts; the arguments as of `Vocabulary.from_texts`."""
    counts: FreqDist[str] = FreqDist()
    for text in texts:
        for field in fields:
            counts.update(tokenize(text.get(field) or ""))
    return counts


def _check_words(words: Sequence[str]) -> None:
    for word in words:
        if not word or any(character in "[]" or character.isspace() for character in word):
            raise InputError(f"vocabulary: expected words without white space and brackets. Received: {word!r}")


def _read_lines(path: Path) -> list[str]:
    check_no_device(path)
    try:
        check_size(path, MAX_BYTES)
        text = path.read_bytes().decode()
    except OSError as error:
        raise InputError(f"cannot read the vocabulary {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: expected a vocabulary in UTF-8. Received other bytes") from None
    if not text.endswith("\n") or "\r" in text:  # TensorFlow would read other lines than Python
        raise InputError(f'{path}: expected lines that end in "\\n", the last one too. Save it again with this program')
    if text.count("\n") > MAX_VOCABULARY_SIZE:
        raise InputError(f"{path}: expected at most {MAX_VOCABULARY_SIZE:,} lines. Received: {text.count(chr(10)):,}")
    return text[:-1].split("\n")
