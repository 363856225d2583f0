"""Words in JSON: the files beside videos, and values as JSON or CSV give them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.config import TEXT_FIELDS
from vidmodel_tf.errors import InputError, shown
from vidmodel_tf.words.words_file import read_words_file


def read_json_object(path: Path) -> dict[str, object]:
    """The object in a .json file.

    Raises:
        InputError: The file is not JSON, or not an object.
    """
    return parse_json_object(read_words_file(path), path)


def parse_json_object(text: str, name: str | Path) -> dict[str, object]:
    """The object in a JSON text.

    Args:
        text: The JSON.
        name: Of the file, for the messages.

    Raises:
        InputError: It is not JSON, or not an object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{name}: expected an object with some of {', '.join(TEXT_FIELDS)}. Received: {shown(values)}")
    return values


def json_text(values: Mapping[str, object], field: str, name: str | Path) -> str:
    """The words for one field in the object of a file beside a video; "" where there are none.

    Raises:
        InputError: The value is not a text; the file is named.
    """
    value = values.get(field)
    if field == "subtitles" and isinstance(value, dict):
        return ""  # where yt-dlp found captions on the network, by language
    try:
        return check_text(value, allow_list=field == "tags")
    except InputError as error:
        raise InputError(f"{name}: {field}: {error}") from None


def check_text(value: object, *, allow_list: bool = False) -> str:
    """One text field as JSON or CSV gives it: a text, nothing, or (tags) a list of texts, which is joined by commas.

    Example:
        >>> check_text(["goal", "football"], allow_list=True)
        'goal, football'

    Raises:
        InputError: The value is something else, or holds half a surrogate pair, which no UTF-8 file can keep.
    """
    if value is None:
        return ""
    if allow_list and isinstance(value, list):
        return ", ".join(text for item in value if (text := check_text(item)))
    if not isinstance(value, str):
        kinds = "a text or a list of texts" if allow_list else "a text"
        raise InputError(f"expected {kinds}. Received: {shown(value)}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"expected Unicode text. Received: {shown(value)}, with half of a surrogate pair in it")
    return value
