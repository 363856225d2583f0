"""Several texts of one clip in one string, and how they share the token positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vidmodel_tf.errors import InputError

MAX_FIELDS = 8  # U+0001 to U+0008 are kept for them
BLANK = "".join(map(chr, range(0x21)))  # what a field may consist of without counting as a text

_NO_MARKERS = dict.fromkeys(range(MAX_FIELDS + 1), " ")


def join_fields(text: Mapping[str, str], fields: Sequence[str]) -> str:
    """The one string that holds a clip's words.

    Args:
        text: The texts by field. Fields that are missing or blank are left out; others than `fields` are not read.
        fields: The model's text fields in order, at most 8.

    Returns:
        For each field, chr(1 + its position) and its text, in which U+0000 to U+0008 became spaces.
    """
    check_fields(fields)
    cleaned = [(text.get(field) or "").translate(_NO_MARKERS) for field in fields]
    return "".join(marker_of(position) + words for position, words in enumerate(cleaned) if words.strip(BLANK))


def split_fields(joined: str, num_fields: int) -> list[str]:
    """The text of each field of a joined string; the inverse of `join_fields` up to white space.

    Text before any marker belongs to the first field; what follows the marker of a field that the model does not have
    is not read. A field that comes twice has both texts, and the order in which the fields stand does not matter.
    """
    parts: list[list[str]] = [[] for _ in range(MAX_FIELDS)]
    field, begin = 0, 0
    for position, character in enumerate(joined):
        if "\x01" <= character <= "\x08":
            parts[field].append(joined[begin:position])
            field, begin = ord(character) - 1, position + 1
    parts[field].append(joined[begin:])
    return ["\n".join(part) for part in parts[:num_fields]]


def marker_of(position: int) -> str:
    """The character that begins the text of the field at this position."""
    return chr(1 + position)


def check_fields(fields: Sequence[str]) -> None:
    """Refuses what cannot be the fields of a model."""
    names_fit = all(field.isascii() and field.isidentifier() and field == field.lower() for field in fields)
    if not 1 <= len(fields) <= MAX_FIELDS or len(set(fields)) < len(fields) or not names_fit:
        raise InputError(
            f"text fields: expected 1 to {MAX_FIELDS} different names of lower-case letters, digits and _. "
            f"Received: {list(fields)}"
        )


def resolve_budgets(num_tokens: int, num_fields: int, budgets: Sequence[int] = ()) -> tuple[int, ...]:
    """The positions that each field may be sure of, its marker's among them.

    Args:
        num_tokens: L, the positions there are.
        num_fields: How many fields share them.
        budgets: One number a field; empty: L in equal parts, the remainder to the first fields.
    """
    if num_tokens < 1:
        raise InputError(f"num_tokens: expected at least 1. Received: {num_tokens}")
    if not budgets:
        return tuple(num_tokens // num_fields + (position < num_tokens % num_fields) for position in range(num_fields))
    if len(budgets) != num_fields or min(budgets) < 0 or sum(budgets) > num_tokens:
        raise InputError(
            f"budgets: expected one number >= 0 for each of {num_fields} fields, together at most "
            f"num_tokens={num_tokens}. Received: {list(budgets)}"
        )
    return tuple(budgets)


def share_positions(lengths: Sequence[int], budgets: Sequence[int], num_tokens: int) -> list[int]:
    """How many positions each field gets.

    Every field keeps what it needs up to its budget; what is left goes to the fields in order. One position would
    hold a marker and no word, so a field gets at least two or none.

    Args:
        lengths: The positions that each field would fill, its marker's among them; 0 where it has no token.
        budgets: From `resolve_budgets`.
        num_tokens: L.

    Returns:
        The positions by field; together at most L.
    """
    shares = [_two_or_none(min(length, budget)) for length, budget in zip(lengths, budgets, strict=True)]
    spare = num_tokens - sum(shares)
    for field, length in enumerate(lengths):
        extra = min(length - shares[field], spare)
        shares[field] += extra
        spare -= extra
    return [_two_or_none(share) for share in shares]


def _two_or_none(share: int) -> int:
    return share if share > 1 else 0
