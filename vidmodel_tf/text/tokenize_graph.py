"""Encodes strings as token ids in a TensorFlow graph: the twin of `tokenize.py` and `Vocabulary.encode`.

It uses standard TensorFlow operations only, so an exported SavedModel needs no code of this package. A test checks that
both twins give the same tokens for every code point.

Legend: B clips, N characters of all of them, M tokens of all of them, F fields, L positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from vidmodel_tf.text.characters import BLOCK_SIZE, CharacterClass, two_level_table
from vidmodel_tf.text.fields import MAX_FIELDS, check_fields, marker_of, resolve_budgets
from vidmodel_tf.text.vocabulary import UNKNOWN_ID, Vocabulary


def text_encoder(vocabulary: Vocabulary | str | Path, num_tokens: int, budgets: Sequence[int] = ()) -> TextEncoder:
    """Builds the graph's encoder of texts.

    Args:
        vocabulary: The vocabulary; or the path of its file, which then becomes an asset of a SavedModel.
        num_tokens: L.
        budgets: Positions guaranteed to each field; empty: L in equal parts.

    Raises:
        InputError: The file is no vocabulary, or the budgets do not fit.
    """
    if isinstance(vocabulary, Vocabulary):
        initializer = tf.lookup.KeyValueTensorInitializer(
            vocabulary.lines, range(len(vocabulary)), key_dtype=tf.string, value_dtype=tf.int64
        )
    else:
        path, vocabulary = str(vocabulary), Vocabulary.load(vocabulary)
        whole_line, line_number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        initializer = tf.lookup.TextFileInitializer(path, tf.string, whole_line, tf.int64, line_number)
    table = tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_ID)
    return TextEncoder(table, num_tokens, resolve_budgets(num_tokens, len(vocabulary.fields), budgets))


class TextEncoder(tf.Module):
    """Joined strings (or bare ones, the first field) -> token ids.

    The exported object must hold a reference to it, because its lookup table is a resource.

    Args:
        table: Ids by token.
        num_tokens: L.
        budgets: From `resolve_budgets`, one number a field.
    """

    def __init__(self, table: tf.lookup.StaticHashTable, num_tokens: int, budgets: Sequence[int]) -> None:
        super().__init__(name="text_encoder")
        self.table = table
        self.num_tokens = num_tokens
        self.budgets = tuple(budgets)

    def __call__(self, text: tf.Tensor) -> tf.Tensor:
        """Encodes strings [B] (UTF-8; what is not counts as U+FFFD) as int32 [B, L], padded with 0 on the right."""
        # String operations run on the CPU. Without this, a server would copy each small result to the GPU and back.
        with tf.device("/CPU:0"):
            num_texts = tf.size(text, tf.int64)
            tokens, groups = tokenize(text)
            order = tf.argsort(groups, stable=True)
            ids = tf.cast(tf.gather(self.table.lookup(tokens), order), tf.int32)
            token_ids = self._lay_out(ids, tf.gather(groups, order), num_texts)
            return tf.ensure_shape(token_ids, [None, self.num_tokens])

    def _lay_out(self, ids: tf.Tensor, groups: tf.Tensor, num_texts: tf.Tensor) -> tf.Tensor:
        """Ids [M] sorted by group (text * MAX_FIELDS + field) -> int32 [B, L]."""
        num_fields, num_groups = len(self.budgets), num_texts * MAX_FIELDS
        counts = tf.math.unsorted_segment_sum(tf.ones_like(groups), groups, num_groups)
        rank = tf.range(tf.size(groups, tf.int64)) - tf.gather(tf.cumsum(counts, exclusive=True), groups)
        shares = self._share_positions(tf.reshape(counts, [-1, MAX_FIELDS])[:, :num_fields])
        begin = tf.cumsum(shares, axis=1, exclusive=True) + self.num_tokens * tf.range(num_texts)[:, tf.newaxis]

        extra_fields = [[0, 0], [0, MAX_FIELDS - num_fields]]  # those that the model does not have: no share
        share_of_token = tf.gather(tf.reshape(tf.pad(shares, extra_fields), [-1]), groups)
        fits = tf.where(rank + 1 < share_of_token)[:, 0]
        begin_of_token = tf.gather(tf.reshape(tf.pad(begin, extra_fields), [-1]), groups)
        positions = tf.gather(begin_of_token + 1 + rank, fits)

        present = tf.where(shares > 0)
        marker_ids = tf.cast(present[:, 1], tf.int32) + UNKNOWN_ID + 1
        marker_positions = tf.gather_nd(begin, present)
        token_ids = tf.scatter_nd(
            tf.concat([marker_positions, positions], 0)[:, tf.newaxis],
            tf.concat([marker_ids, tf.gather(ids, fits)], 0),
            [num_texts * self.num_tokens],
        )
        return tf.reshape(token_ids, [-1, self.num_tokens])

    def _share_positions(self, counts: tf.Tensor) -> tf.Tensor:
        """Token counts [B, F] -> positions [B, F]: `fields.share_positions` for all texts at once."""
        lengths = tf.where(counts > 0, counts + 1, 0)
        shares = _two_or_none(tf.minimum(lengths, tf.constant(self.budgets, tf.int64)))
        spare = self.num_tokens - tf.reduce_sum(shares, axis=1, keepdims=True)
        missing = lengths - shares
        extra = tf.minimum(tf.maximum(spare - tf.cumsum(missing, axis=1, exclusive=True), 0), missing)
        return _two_or_none(shares + extra)


def join_fields(text: Mapping[str, tf.Tensor], fields: Sequence[str]) -> tf.Tensor:
    """`fields.join_fields` for tensors: strings [B] by field (or scalars) -> joined strings of the same shape."""
    check_fields(fields)
    known = [(position, text[field]) for position, field in enumerate(fields) if field in text]
    if not known:
        return tf.zeros_like(next(iter(text.values())))
    parts = []
    for position, words in known:
        cleaned = tf.strings.regex_replace(words, r"[\x00-\x08]", " ")
        blank = tf.strings.regex_full_match(cleaned, r"[\x00-\x20]*")
        parts.append(tf.where(blank, "", tf.strings.join([marker_of(position), cleaned])))
    return tf.strings.join(parts)


def tokenize(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`tokenize.tokenize_fields` for many joined strings at once.

    Args:
        text: Strings [B].

    Returns:
        Tokens, string [M], in the order in which they stand, and their groups, int64 [M]: text * MAX_FIELDS + field.
    """
    # A marker in front makes every text start with a segment, even an empty text or one without markers.
    decoded = tf.strings.unicode_decode(tf.strings.join([marker_of(0), text]), "UTF-8", errors="replace")
    code_points, classes = _look_up_characters(decoded.flat_values)
    kept = tf.where(classes != CharacterClass.IGNORED)[:, 0]
    code_points, classes = tf.gather(code_points, kept), tf.gather(classes, kept)
    rows = tf.gather(decoded.value_rowids(), kept)

    starts = _starts_token(classes)
    first_characters = tf.where(starts)[:, 0]
    is_marker = tf.gather(classes, first_characters) == CharacterClass.MARKER
    markers = tf.boolean_mask(first_characters, is_marker)
    group_of_segment = tf.gather(rows, markers) * MAX_FIELDS + tf.cast(tf.gather(code_points, markers), tf.int64) - 1
    groups = tf.gather(group_of_segment, tf.cumsum(tf.cast(is_marker, tf.int64)) - 1)

    characters = tf.where(classes >= CharacterClass.WORD)[:, 0]
    begins = tf.where(tf.gather(starts, characters))[:, 0]
    spelled = tf.RaggedTensor.from_row_starts(tf.gather(code_points, characters), begins, validate=False)
    words = tf.where(~is_marker)[:, 0]
    return tf.gather(tf.strings.unicode_encode(spelled, "UTF-8"), words), tf.gather(groups, words)


def _look_up_characters(code_points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Code points [N] -> their lower case and their classes, both int32 [N]."""
    table = two_level_table()
    block = tf.cast(tf.gather(table.block_of, code_points // BLOCK_SIZE), tf.int32)
    kind = tf.cast(tf.gather(table.blocks.reshape(-1), block * BLOCK_SIZE + code_points % BLOCK_SIZE), tf.int32)
    return code_points + tf.gather(table.shift_of_kind, kind), tf.gather(table.class_of_kind, kind)


def _starts_token(classes: tf.Tensor) -> tf.Tensor:
    """Classes [N] -> whether a token (or a marker) starts at the character, bool [N]."""
    changes = tf.concat([[True], classes[1:] != classes[:-1]], 0)
    run = tf.cumsum(tf.cast(changes, tf.int32)) - 1
    place_in_run = tf.range(tf.size(classes, tf.int64)) - tf.gather(tf.where(changes)[:, 0], run)
    starts_pair = (classes == CharacterClass.FLAG) & (place_in_run % 2 == 0)
    return (classes >= CharacterClass.SINGLE) | starts_pair | (changes & (classes >= CharacterClass.WORD))


def _two_or_none(shares: tf.Tensor) -> tf.Tensor:
    return tf.where(shares > 1, shares, 0)
