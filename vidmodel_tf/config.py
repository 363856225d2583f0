"""Every setting, with its default and the reason for it: frozen dataclasses that read and write JSON.

Overrides are checked: an unknown key, a wrong type or a value out of range is refused by name.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from vidmodel_tf.errors import InputError

TEXT_FIELDS = ("title", "description", "tags", "subtitles", "screen_text", "speech")  # that a clip may have

Branches = Literal["both", "video", "text"]
Streams = Literal["appearance", "motion", "both"]
Pooling = Literal["last", "attention", "both"]
TextPooling = Literal["last", "mean", "both"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """How a clip is stored in a prepared data set."""

    num_stored_frames: int = 32  # N; a multiple of every num_frames that is to be trained with
    short_side: int = 256  # pixels; leaves room above the usual 224 for the one resize in the graph
    jpeg_quality: int = 95  # below this, block edges show up in motion images
    validation_fraction: float = 0.15
    test_fraction: float = 0.15
    seed: int = 0  # of the split and of the order in which clips are stored
    timeout_seconds: float = 120.0  # a file that takes longer is refused by name
    num_workers: int = 0  # decoding processes; 0: one a core
    languages: tuple[str, ...] = ("en",)  # of the words beside or in a video; the first that is found is read
    source_pattern: str = ""  # regular expression; what it finds in a clip's path is its source. "": the path itself
    follow_links: bool = False  # whether a link beside a video that leads out of SOURCE may give its words

    def __post_init__(self) -> None:
        _check_types(self)
        _check_languages(self.languages)
        _check_pattern("source_pattern", self.source_pattern)
        _check_range(self, "num_stored_frames", 1, 4096)
        _check_range(self, "short_side", 16, 4096)
        _check_range(self, "jpeg_quality", 1, 100)
        _check_range(self, "validation_fraction", 0.0, 0.5)
        _check_range(self, "test_fraction", 0.0, 0.5)
        _check_range(self, "timeout_seconds", 0.1, 86_400.0)
        _check_range(self, "num_workers", 0, 256)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What the graph is built from. Legend of shapes: see `vidmodel_tf.model.build`."""

    backbone: str = "resnet50"
    weights: str = "imagenet"  # "imagenet", "none" (trained from scratch) or the path of a weights file
    num_frames: int = 16  # T
    height: int = 224  # H, pixels
    width: int = 224  # W, pixels
    branches: Branches = "both"  # what the model looks at: frames, words, or both
    streams: Streams = "appearance"
    motion_gain: float = 3.0  # of frame differences before they are clipped to 0..255
    projection_units: int = 1024  # the article's Linear(2048, 1024)
    lstm_units: int = 256
    num_layers: int = 1  # stacked LSTMs over time, each stream its own
    bidirectional: bool = False  # the LSTMs over time
    # The LSTM's last state; attention over its outputs; or the last state beside the mean of the features ("both").
    pooling: Pooling = "last"
    text_fields: tuple[str, ...] = TEXT_FIELDS[:4]  # those that the model reads, in the order in which they are joined
    num_tokens: int = 64  # L
    field_budgets: tuple[int, ...] = ()  # tokens kept for each field; (): L in equal parts. What one leaves, others use
    vocabulary_size: int = 20_000  # at most; counted on the training split
    # Words that come once teach nothing about other clips, and in their places the model learns what an unknown word
    # is, which it will meet. A model that only averages its words gains by keeping them.
    min_word_count: int = 2
    embedding_units: int = 128
    text_lstm_units: int = 128
    text_pooling: TextPooling = "last"  # the LSTM's last state, the mean of the embeddings without an LSTM, or both
    hidden_units: int = 256  # between Concatenate and the heads; 0: none, which models of one branch can do without
    dropout: float = 0.3  # before the LSTMs and before the heads
    ensemble_size: int = 1  # networks behind the backbone whose scores are averaged
    precision: Precision = "float32"

    @property
    def has_frames(self) -> bool:
        """Whether the model looks at frames at all."""
        return self.branches != "text"

    @property
    def has_text(self) -> bool:
        """Whether the model reads words at all."""
        return self.branches != "video"

    def __post_init__(self) -> None:
        _check_types(self)
        for name in ("projection_units", "lstm_units", "embedding_units", "text_lstm_units"):
            _check_range(self, name, 1, 65_536)
        _check_range(self, "num_frames", 1, 4096)
        _check_range(self, "height", 32, 2048)
        _check_range(self, "width", 32, 2048)
        _check_range(self, "motion_gain", 0.01, 255.0)
        # Without a hidden layer two branches could only be added, and no question about a clip be answered.
        _check_range(self, "hidden_units", 1 if self.branches == "both" else 0, 65_536)
        _check_range(self, "num_layers", 1, 8)
        _check_range(self, "ensemble_size", 1, 64)
        _check_range(self, "num_tokens", 1, 4096)
        _check_range(self, "vocabulary_size", 2 + len(self.text_fields), 10_000_000)
        _check_range(self, "min_word_count", 1, 1_000_000)
        _check_range(self, "dropout", 0.0, 0.95)
        self._check_text()

    def _check_text(self) -> None:
        unknown = [field for field in self.text_fields if field not in TEXT_FIELDS]
        if unknown or not self.text_fields or len(set(self.text_fields)) < len(self.text_fields):
            raise InputError(
                f"text_fields: expected some of {', '.join(TEXT_FIELDS)}, each at most once. "
                f"Received: {list(self.text_fields)}"
            )
        if self.field_budgets and len(self.field_budgets) != len(self.text_fields):
            raise InputError(
                f"field_budgets: expected one number for each of text_fields {list(self.text_fields)}. "
                f"Received: {list(self.field_budgets)}"
            )
        if any(budget < 0 for budget in self.field_budgets) or sum(self.field_budgets) > self.num_tokens:
            raise InputError(
                f"field_budgets: expected numbers >= 0 whose sum is at most num_tokens={self.num_tokens}. "
                f"Received: {list(self.field_budgets)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the model is trained.

    With pretrained weights, stage one trains all but the backbone on its cached outputs; stage two goes on with
    the top of the backbone. With `weights="none"` there is nothing to freeze: the one stage trains everything.
    """

    epochs: int = 30  # at most, of stage one (or of training from scratch)
    fine_tune_epochs: int = 0  # at most, of stage two; 0 leaves it out
    fine_tune_from: str = ""  # first layer of the backbone that stage two trains; "": its last block
    batch_size: int = 16
    learning_rate: float = 1e-3
    fine_tune_learning_rate: float = 1e-5
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05  # single-label heads
    class_balance: bool = True  # weights per head over its labelled rows
    head_weights: dict[str, float] = dataclasses.field(default_factory=dict)  # of the loss; a head not named has 1
    patience: int = 6  # epochs without a lower validation loss, after which a stage ends
    refit: bool = False  # then train anew on training and validation clips, for the number of epochs that was best
    mirror: bool = True  # left and right are not told apart; off where they carry meaning
    random_crop: float = 0.1  # at most this share of height and width is cut off (training on pixels)
    random_color: float = 0.1  # brightness and contrast vary by this share (training on pixels)
    seed: int = 0

    def __post_init__(self) -> None:
        _check_types(self)
        _check_range(self, "epochs", 1, 1_000_000)
        _check_range(self, "fine_tune_epochs", 0, 1_000_000)
        _check_range(self, "batch_size", 1, 65_536)
        _check_range(self, "learning_rate", 1e-9, 10.0)
        _check_range(self, "fine_tune_learning_rate", 1e-9, 10.0)
        _check_range(self, "weight_decay", 0.0, 1.0)
        _check_range(self, "label_smoothing", 0.0, 0.5)
        _check_range(self, "patience", 1, 1_000_000)
        _check_range(self, "random_crop", 0.0, 0.5)
        _check_range(self, "random_color", 0.0, 0.9)
        _check_range(self, "seed", 0, 2**31 - 1)
        for head, weight in self.head_weights.items():
            if not 0 <= weight <= 1e6:
                raise InputError(f"head_weights: expected 0 to 1000000. Received: {head}={weight}")


Config = TypeVar("Config", PrepareConfig, ModelConfig, TrainConfig)

_RENAMED = {"num_nets": "ensemble_size"}  # by their names in older versions, for those who still type them


def from_mapping(kind: type[Config], values: Mapping[str, Any], section: str) -> Config:
    """Builds a configuration from JSON values.

    Args:
        kind: The dataclass.
        values: Setting names and values; those missing keep their defaults.
        section: How the user calls this group of settings, for the messages ("model").

    Raises:
        InputError: A key is unknown, a value has the wrong type or is out of range.
    """
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            near = [_RENAMED[key]] if key in _RENAMED else difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"expected one of: {', '.join(known)}"
            raise InputError(f"unknown setting {section}.{key}: {advice}")
    hints = typing.get_type_hints(kind)
    try:
        return kind(**{key: _from_json(value, hints[key]) for key, value in values.items()})
    except InputError as error:
        raise InputError(f"{section}.{error}") from None


def to_mapping(config: PrepareConfig | ModelConfig | TrainConfig) -> dict[str, Any]:
    """The settings as JSON values; `from_mapping` is the inverse."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def parse_override(text: str, sections: tuple[str, ...]) -> tuple[str, str, Any]:
    """Splits `SECTION.KEY=VALUE` (VALUE is JSON, or a bare word) as `--set` takes it."""
    name, equals, value = text.partition("=")
    section, dot, key = name.partition(".")
    if not (equals and dot and key) or section not in sections:
        example = " or ".join(f"{known}.KEY=VALUE" for known in sections)
        raise InputError(f"--set: expected {example}. Received: {text!r}")
    try:
        return section, key, json.loads(value)
    except ValueError:
        return section, key, value


def _from_json(value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is tuple and isinstance(value, list):
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _check_types(config: Any) -> None:
    for name, hint in typing.get_type_hints(type(config)).items():
        value = getattr(config, name)
        if not _has_type(value, hint):
            raise InputError(f"{name}: expected {_describe(hint)}. Received: {value!r}")


def _has_type(value: Any, hint: Any) -> bool:
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
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in arguments)
    if origin is tuple:
        return f"a list of {_describe(arguments[0])}"
    if origin is dict:
        return f"an object of {_describe(arguments[1])} by name"
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(hint, str(hint) if isinstance(hint, types.GenericAlias) else hint.__name__)


def _check_range(config: Any, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    if not low <= value <= high:  # also refuses NaN
        raise InputError(f"{name}: expected {low} to {high}. Received: {value}")


def _check_languages(languages: tuple[str, ...]) -> None:
    for language in languages:
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", language):
            raise InputError(f"languages: expected language codes such as 'en' or 'pt-BR'. Received: {language!r}")


def _check_pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(f"{name}: expected a regular expression. Received: {pattern!r} ({error})") from None
