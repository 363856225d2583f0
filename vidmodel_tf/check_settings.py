"""Checks the values of a dataclass of settings against the types and ranges that stand beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from vidmodel_tf.errors import InputError, shown

MAX_TEXT = 4096  # characters of a setting: the longest path that Linux takes
MAX_ITEMS = 1000  # of a list or an object


@dataclasses.dataclass(frozen=True)
class Range:
    """The numbers that a setting may have, ends included: `Annotated[int, Range(1, 8)]`."""

    low: float
    high: float


def check_settings(config: Any) -> None:
    """Refuses a value of the wrong type or out of range.

    Args:
        config: A dataclass whose fields are `int`, `float`, `str`, `bool`, `Literal`, `tuple[X, ...]`,
            `dict[str, X]` or `X | Y`, also with None; numbers may be `Annotated` with a `Range`.

    Raises:
        InputError: Names the first such setting, what was expected and what it is. Texts and lists that are too long,
            and texts that no UTF-8 file can keep, are refused too.
    """
    hints = hints_of(type(config))
    for name, hint in hints.items():
        value = getattr(config, name)
        if not _has_type(value, hint):
            received = list(value) if isinstance(value, tuple) else value
            raise InputError(f"{name}: expected {_describe(hint)}. Received: {shown(received)}")
        _check_size(name, value)
    for name, hint in hints.items():
        _check_range(name, getattr(config, name), hint)


def from_json(value: Any, hint: Any) -> Any:
    """A JSON value as the setting's type has it: tuples for lists, floats for whole numbers."""
    kind = _without_range(_without_none(hint))
    if typing.get_origin(kind) is tuple and isinstance(value, list):
        return tuple(from_json(item, typing.get_args(kind)[0]) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # it is out of range
            return float(value)
    return value


@functools.cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """The type of each setting by its name, ranges included."""
    return types.MappingProxyType(typing.get_type_hints(kind, include_extras=True))


def _check_size(name: str, value: Any) -> None:
    if isinstance(value, tuple | dict):
        if len(value) > MAX_ITEMS:
            raise InputError(f"{name}: expected at most {MAX_ITEMS:,} items. Received: {len(value):,}")
        for item in value:
            _check_size(name, item)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise InputError(f"{name}: expected at most {MAX_TEXT:,} characters. Received: {len(value):,}")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise InputError(f"{name}: expected Unicode text. Received: {shown(value)}")


def _check_range(name: str, value: Any, hint: Any) -> None:
    hint = next(choice for choice in _choices(hint) if _has_type(value, choice))
    if typing.get_origin(hint) is dict:
        for key, item in value.items():
            _check_number(name, item, typing.get_args(hint)[1], received=f"{key}={shown(item)}")
    elif typing.get_origin(hint) is tuple:
        for item in value:
            _check_number(name, item, typing.get_args(hint)[0], received=shown(item))
    else:
        _check_number(name, value, hint, received=shown(value))


def _check_number(name: str, value: float, hint: Any, received: str) -> None:
    if typing.get_origin(hint) is not Annotated:
        return
    for allowed in hint.__metadata__:
        if not allowed.low <= value <= allowed.high:  # also refuses NaN
            raise InputError(f"{name}: expected {allowed.low} to {allowed.high}. Received: {received}")


def _without_none(hint: Any) -> Any:
    """X of `X | None`; any other hint as it is."""
    return typing.get_args(hint)[0] if type(None) in typing.get_args(hint) else hint


def _choices(hint: Any) -> tuple[Any, ...]:
    """X and Y of `X | Y`; any other hint alone."""
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _without_range(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def _has_type(value: Any, hint: Any) -> bool:
    if len(choices := _choices(hint)) > 1:
        return any(_has_type(value, choice) for choice in choices)
    hint = _without_range(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, tuple) and all(_has_type(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _has_type(key, arguments[0]) and _has_type(item, arguments[1]) for key, item in value.items()
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _describe(hint: Any) -> str:
    if len(choices := _choices(hint)) > 1:
        return " or ".join("null" if choice is type(None) else _describe(choice) for choice in choices)
    hint = _without_range(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal and len(arguments) == 1:
        return repr(arguments[0])
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in arguments)
    if origin is tuple:
        return f"a list of {_describe_items(arguments[0])}"
    if origin is dict:
        return f"an object of {_describe(arguments[1])} by name"
    return {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[hint]


def _describe_items(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return "any of " + ", ".join(repr(choice) for choice in typing.get_args(hint))
    kind = _without_range(hint)
    return {int: "whole numbers, such as [1, 2]", float: "numbers", str: 'texts, such as ["a", "b"]'}[kind]
