import dataclasses
import typing
from typing import Annotated, Literal

import pytest

from vidmodel_tf.check_settings import Range, check_settings, from_json, hints_of
from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig, from_mapping
from vidmodel_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Settings:
    count: Annotated[int, Range(1, 8)] = 1
    share: Annotated[float, Range(0.0, 0.5)] = 0.0
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    weights: dict[str, Annotated[float, Range(0, 10)]] = dataclasses.field(default_factory=dict)
    on: bool = False
    limit: Annotated[int, Range(1, 8)] | None = None
    shares: tuple[Annotated[float, Range(0.0, 0.5)], ...] = ()


@pytest.mark.parametrize(
    "values",
    [
        {"count": 1},
        {"count": 8},
        {"share": 0.5},
        {"share": 0},
        {"mode": "slow"},
        {"names": ("a", "b")},
        {"weights": {"a": 10, "b": 0.5}},
        {"on": True},
        {"limit": None},
        {"limit": 8},
        {"shares": (0.0, 0.5)},
    ],
)
def test_values_that_fit(values):
    check_settings(Settings(**values))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"count": 0}, r"^count: expected 1 to 8\. Received: 0$"),
        ({"count": 9}, r"^count: expected 1 to 8\. Received: 9$"),
        ({"count": 1.0}, r"^count: expected a whole number\. Received: 1\.0$"),
        ({"count": True}, r"^count: expected a whole number\. Received: True$"),
        ({"share": 0.51}, r"^share: expected 0\.0 to 0\.5\. Received: 0\.51$"),
        ({"share": float("nan")}, r"^share: expected 0\.0 to 0\.5\. Received: nan$"),
        ({"share": "much"}, r"^share: expected a number\. Received: 'much'$"),
        ({"mode": "medium"}, r"^mode: expected one of 'fast', 'slow'\. Received: 'medium'$"),
        ({"names": "a"}, r"""^names: expected a list of texts, such as \["a", "b"\]\. Received: 'a'$"""),
        ({"names": (1,)}, r"^names: expected a list of texts, .*\. Received: \[1\]$"),
        ({"weights": {"a": -1}}, r"^weights: expected 0 to 10\. Received: a=-1$"),
        ({"weights": {"a": "x"}}, r"^weights: expected an object of a number by name\. "),
        ({"limit": 0}, r"^limit: expected 1 to 8\. Received: 0$"),
        ({"limit": "1"}, r"^limit: expected a whole number or null\. Received: '1'$"),
        ({"shares": (0.1, 0.6)}, r"^shares: expected 0\.0 to 0\.5\. Received: 0\.6$"),
        ({"shares": (0.1, None)}, r"^shares: expected a list of numbers\. "),
        ({"on": 1}, r"^on: expected true or false\. Received: 1$"),
    ],
)
def test_values_that_do_not_fit(values, words):
    with pytest.raises(InputError, match=words):
        check_settings(Settings(**values))


def test_json_lists_become_tuples_and_whole_numbers_floats():
    hints = hints_of(Settings)
    assert from_json(["a"], hints["names"]) == ("a",)
    share = from_json(0, hints["share"])
    assert isinstance(share, float)
    assert from_json(True, hints["share"]) is True  # refused later, as the user wrote it


RANGES = [
    (kind, name, *hint.__metadata__)
    for kind in (PrepareConfig, ModelConfig, TrainConfig)
    for name, hint in hints_of(kind).items()
    if typing.get_origin(hint) is Annotated
]


@pytest.mark.parametrize(("kind", "name", "allowed"), RANGES, ids=lambda value: str(value))
def test_both_ends_of_every_range_are_held(kind, name, allowed):
    for outside in (allowed.low - 1, allowed.high + 1):
        with pytest.raises(InputError, match=rf"^x\.{name}: expected .* to .*\. Received: "):
            from_mapping(kind, {name: outside}, "x")


def test_every_number_among_the_settings_has_a_range():
    hints = [hint for kind in (PrepareConfig, ModelConfig, TrainConfig) for hint in hints_of(kind).values()]
    assert len(RANGES) > 30
    assert not {int, float} & set(hints)
