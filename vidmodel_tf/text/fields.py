"""Joins the text fields of a clip into one string, and divides the token positions among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vidmodel_tf.config import check_field_budgets
from vidmodel_tf.errors import InputError

MAX_TEXT_BYTES = 2**20  # of a joined string; the subtitles of a film take a tenth of that
MAX_FIELDS = 8  # U+0001 to U+0008 are kept for them
BLANK = "".join(map(chr, range(0x21)))  # white space and control characters: a field of these alone is empty

_NO_MARKERS = dict.fromkeys(range(MAX_FIELDS + 1), " ")


def join_fields(text: Mapping[str, str], fields: Sequence[str]) -> str:
    """Joins the text fields of a clip into one string.

    Args:
        text: Text by field. Missing and blank fields are left out; fields not named in `fields` are ignored.
        fields: The model's text fields in order, at most 8.

    Returns:
        For each field that has text, the marker chr(1 + position) and the text, in which U+0000 to U+0008 are
        replaced by spaces.

    Raises:
        InputError: There are too many words (`check_text_length`).

    Example:
        >>> join_fields({"title": "A goal", "tags": "football"}, ["title", "description", "tags"])
        '\\x01A goal\\x03football'
    """
    check_fields(fields)
    cleaned = [(text.get(field) or "").translate(_NO_MARKERS) for field in fields]
    joined = "".join(marker_of(position) + words for position, words in enumerate(cleaned) if words.strip(BLANK))
    check_text_length(joined)
    return joined


def check_text_length(joined: str) -> None:
    """Refuses a joined string that is longer than any form of a model takes.

    The graph of an exported model has the same limit, so that a text is answered by all forms or by none.

    Raises:
        InputError: It has more than `MAX_TEXT_BYTES` bytes in UTF-8.
    """
    if 4 * len(joined) <= MAX_TEXT_BYTES:  # no character takes more
        return
    num_bytes = len(joined.encode(errors="surrogatepass"))
    if num_bytes > MAX_TEXT_BYTES:
        raise InputError(
            f"expected at most {MAX_TEXT_BYTES:,} bytes of words a clip, all fields together. Received: {num_bytes:,}"
        )


def split_fields(joined: str, num_fields: int) -> list[str]:
    """The text of each field of a joined string; the inverse of `join_fields` up to white space.

    Text before the first marker belongs to the first field. Text after the marker of a field that the model does not
    have is ignored. A field that occurs twice gets both texts; the order of the fields does not matter.
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
    """The control character that marks the start of the field at this position."""
    return chr(1 + position)


def check_fields(fields: Sequence[str]) -> None:
    """Refuses names that a model cannot have as text fields.

    Raises:
        InputError: There are too few or too many, one is there twice, or one has other characters.
    """
    names_fit = all(field.isascii() and field.isidentifier() and field == field.lower() for field in fields)
    if not 1 <= len(fields) <= MAX_FIELDS or len(set(fields)) < len(fields) or not names_fit:
        raise InputError(
            f"text fields: expected 1 to {MAX_FIELDS} different names of lower-case letters, digits and _. "
            f"Received: {list(fields)}"
        )


def resolve_budgets(num_tokens: int, num_fields: int, budgets: Sequence[int] = ()) -> tuple[int, ...]:
    """The number of token positions guaranteed to each field, its marker included.

    Args:
        num_tokens: L, the number of token positions.
        num_fields: How many fields share them.
        budgets: One number a field; empty: L in equal parts, the remainder to the first fields.

    Raises:
        InputError: `num_tokens` is below 1, or the budgets do not fit the fields or `num_tokens`.
    """
    if num_tokens < 1:
        raise InputError(f"num_tokens: expected at least 1. Received: {num_tokens}")
    check_field_budgets(budgets, num_fields, num_tokens)
    if not budgets:
        return tuple(num_tokens // num_fields + (position < num_tokens % num_fields) for position in range(num_fields))
    return tuple(budgets)


def share_positions(lengths: Sequence[int], budgets: Sequence[int], num_tokens: int) -> list[int]:
    """Divides L token positions among the fields.

    Each field gets what it needs, up to its budget; positions left over go to the fields in order. A single position
    would hold the marker and no word, so a field gets at least two positions or none.

    Args:
        lengths: Positions that each field would fill, marker included; 0 for a field without tokens.
        budgets: From `resolve_budgets`.
        num_tokens: L.

    Returns:
        Positions by field; their sum is at most L.
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
