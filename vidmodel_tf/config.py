"""Every setting, with its range, its default and the reason for it: frozen dataclasses that read and write JSON.

An unknown key, a wrong type or a value out of range is refused by name.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from vidmodel_tf.check_settings import Range, check_settings, from_json, hints_of
from vidmodel_tf.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

TEXT_FIELDS = ("title", "description", "tags", "subtitles", "screen_text", "speech")  # that a clip may have
QUESTION = "question"  # what is asked about a clip; nothing beside or in its video fills this field
MODEL_FIELDS = (*TEXT_FIELDS, QUESTION)  # that a model may read
MAX_VOCABULARY_SIZE = 1_000_000  # words; more take seconds to load and gigabytes to train

_EMBEDDING_UNITS = 128

Branches = Literal["both", "video", "text"]
Streams = Literal["appearance", "motion", "both"]
Temporal = Literal["lstm", "gru", "transformer"]
Pooling = Literal["last", "attention", "both"]
TextPooling = Literal["last", "mean", "both"]
WordSource = Literal["tracks", "captions", "screen", "speech"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """How clips are read and stored in a prepared data set."""

    # N; a multiple of every num_frames that is to be trained with
    num_stored_frames: Annotated[int, Range(1, 4096)] = 32
    short_side: Annotated[int, Range(16, 4096)] = 256  # pixels; more than the usual 224, to which the graph resizes
    jpeg_quality: Annotated[int, Range(1, 100)] = 95  # below this, block edges show up in motion images
    validation_fraction: Annotated[float, Range(0.0, 0.5)] = 0.15
    test_fraction: Annotated[float, Range(0.0, 0.5)] = 0.15
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0  # of the split and of the order in which clips are stored
    timeout_seconds: Annotated[float, Range(0.1, 86_400.0)] = 120.0  # a file that takes longer is refused by name
    num_workers: Annotated[int, Range(0, 256)] = 0  # decoding processes; 0: one a core
    # Where words are looked for in the video itself, the best first; each field is filled by the first that has words.
    words: tuple[WordSource, ...] = ("tracks",)
    languages: tuple[str, ...] = ("en",)  # of the words beside and in a video; the first that is found is read
    speech_model: str = "packaged"  # that of the extra `speech`, the path of a folder, or a name to download
    screen_frames_per_second: Annotated[float, Range(0.1, 30.0)] = 2.0  # that the source `screen` looks at
    source_pattern: str = ""  # regular expression; what it finds in a clip's path is its source. "": the path itself
    follow_links: bool = False  # whether a link beside a video that leads out of SOURCE may give its words

    def __post_init__(self) -> None:
        check_settings(self)
        _check_languages(self.languages)
        _check_pattern("source_pattern", self.source_pattern)


# Settings of training that are chosen for a machine: no run keeps them, and it may go on elsewhere with others.
OF_MACHINE = ("devices",)

# Data sets and runs that were made before these settings existed were made as these values say, not the defaults.
PREPARE_BEFORE: Mapping[str, Any] = {"words": []}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What the graph is built from. Legend of shapes: see `vidmodel_tf.model.build`."""

    # Its name; for one that the user brings "FILE.keras" or "keras_hub:PRESET", in a run "file:SHA256" or
    # "keras_hub:NAME".
    backbone: str = "resnet50"
    # "imagenet", "none" (trained from scratch) or the path of a weights file. A backbone that the user brings has its
    # own unless this is "none"; in a run their hash stands here.
    weights: str = "imagenet"
    num_frames: Annotated[int, Range(1, 4096)] = 16  # T
    height: Annotated[int, Range(32, 2048)] = 224  # H, pixels
    width: Annotated[int, Range(32, 2048)] = 224  # W, pixels
    branches: Branches = "both"  # the model's inputs: frames ("video"), words ("text"), or both
    streams: Streams = "appearance"
    motion_gain: Annotated[float, Range(0.01, 255.0)] = 3.0  # times the frame difference, before clipping to 0..255
    projection_units: Annotated[int, Range(1, 65_536)] = 1024  # the article's Linear(2048, 1024)
    temporal: Temporal = "lstm"  # what reads the features in order, each stream its own
    lstm_units: Annotated[int, Range(1, 65_536)] = 256  # width, of a GRU or transformer too
    num_layers: Annotated[int, Range(1, 8)] = 1  # depth: stacked LSTMs, GRUs or transformer blocks
    num_heads: Annotated[int, Range(1, 1024)] = 4  # of a transformer's attention; they share its width
    bidirectional: bool = False  # LSTMs or GRUs over time; a transformer looks both ways by itself
    # The last output; attention over all of them; or the last output beside the mean of the features ("both").
    pooling: Pooling = "last"
    text_fields: tuple[str, ...] = TEXT_FIELDS[:4]  # those that the model reads, in the order in which they are joined
    num_tokens: Annotated[int, Range(1, 4096)] = 64  # L
    # Tokens guaranteed to each field; (): L in equal parts. Positions that a field does not need go to the others.
    field_budgets: tuple[int, ...] = ()
    # At most, counted on the training split; never more than `MAX_VOCABULARY_SIZE`.
    vocabulary_size: Annotated[int, Range(3, 10_000_000)] = 20_000
    # Words that occur once teach nothing about other clips; left out of the vocabulary, they teach the model what an
    # unknown word means. A model that only averages its words does better with them (1).
    min_word_count: Annotated[int, Range(1, 1_000_000)] = 2
    # What the embeddings begin as: "none" (random), "packaged" (English GloVe vectors) or the path of a file of word
    # vectors. With vectors their mean, which is not trained, stands beside what else is made of the words. A run folder
    # says "file:SHA256" for a path, and holds the vectors of its vocabulary.
    embeddings: str = "none"
    embedding_units: Annotated[int, Range(1, 65_536)] | None = None  # None: 128, or the dimension of the word vectors
    text_lstm_units: Annotated[int, Range(1, 65_536)] = 128
    text_pooling: TextPooling = "last"  # the LSTM's last state, the mean of the embeddings without an LSTM, or both
    # Between Concatenate and the heads. 0: no such layer; what frames and words say is then added up, which few clips
    # suffice for, but what the words mean cannot depend on the frames.
    hidden_units: Annotated[int, Range(0, 65_536)] = 256
    # Before the LSTMs and before the heads; in a transformer also behind each part of a block.
    dropout: Annotated[float, Range(0.0, 0.95)] = 0.3
    ensemble_size: Annotated[int, Range(1, 64)] = 1  # networks behind the backbone whose scores are averaged
    precision: Precision = "float32"

    @property
    def has_frames(self) -> bool:
        """Whether frames are an input of the model."""
        return self.branches != "text"

    @property
    def has_text(self) -> bool:
        """Whether words are an input of the model."""
        return self.branches != "video"

    def __post_init__(self) -> None:
        if self.embedding_units is None and self.embeddings == "none":
            object.__setattr__(self, "embedding_units", _EMBEDDING_UNITS)
        check_settings(self)
        self._check_text_fields()
        self._check_transformer()
        if self.embeddings != "none" and not self.has_text:
            raise InputError(
                "embeddings: expected 'none' with branches='video', a model without words. "
                f"Received: {self.embeddings!r}"
            )
        check_field_budgets(self.field_budgets, len(self.text_fields), self.num_tokens)
        if self.hidden_units == 0 and self.branches == "both" and "question" in self.text_fields:
            raise InputError(
                "hidden_units: expected at least 1 with 'question' among text_fields, because without a hidden layer "
                "no answer can depend on frames and question together. Received: 0"
            )
        num_reserved = 2 + len(self.text_fields)
        if self.vocabulary_size < num_reserved:
            raise InputError(
                f"vocabulary_size: expected at least {num_reserved}, for padding, the unknown word and the "
                f"{len(self.text_fields)} text fields. Received: {self.vocabulary_size}"
            )

    def _check_text_fields(self) -> None:
        unknown = [field for field in self.text_fields if field not in MODEL_FIELDS]
        if unknown or not self.text_fields or len(set(self.text_fields)) < len(self.text_fields):
            raise InputError(
                f"text_fields: expected some of {', '.join(MODEL_FIELDS)}, each at most once. "
                f"Received: {list(self.text_fields)}"
            )
        if QUESTION in self.text_fields[1:]:
            raise InputError(
                f"text_fields: expected {QUESTION!r} before the others, for `--text` fills the first field. "
                f"Received: {list(self.text_fields)}"
            )

    def _check_transformer(self) -> None:
        if self.temporal != "transformer":
            return
        if self.bidirectional:
            raise InputError(
                "bidirectional: expected false with temporal='transformer', which looks both ways by itself. "
                "Received: True"
            )
        if self.lstm_units % self.num_heads:
            raise InputError(
                f"num_heads: expected a divisor of lstm_units={self.lstm_units}, the width that the heads of a "
                f"transformer share. Received: {self.num_heads}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the model is trained.

    With pretrained weights, stage one trains all but the backbone on its cached outputs; stage two goes on with
    the top of the backbone. With `weights="none"` there is nothing to freeze: the one stage trains everything.
    """

    epochs: Annotated[int, Range(1, 1_000_000)] = 30  # at most, of stage one (or of training from scratch)
    fine_tune_epochs: Annotated[int, Range(0, 1_000_000)] = 0  # at most, of stage two; 0 leaves it out
    fine_tune_from: str = ""  # first layer of the backbone that stage two trains; "": its last block
    batch_size: Annotated[int, Range(1, 65_536)] = 16
    learning_rate: Annotated[float, Range(1e-9, 10.0)] = 1e-3
    fine_tune_learning_rate: Annotated[float, Range(1e-9, 10.0)] = 1e-5
    weight_decay: Annotated[float, Range(0.0, 1.0)] = 1e-4
    label_smoothing: Annotated[float, Range(0.0, 0.5)] = 0.05  # single-label heads
    class_balance: bool = True  # weights per head over its labelled rows
    # Factors of the heads' losses; a head that is not named has 1.
    head_weights: dict[str, Annotated[float, Range(0, 1_000_000)]] = dataclasses.field(default_factory=dict)
    patience: Annotated[int, Range(1, 1_000_000)] = 6  # epochs without a lower validation loss that end a stage
    refit: bool = False  # then train anew on training and validation clips, for the number of epochs that was best
    mirror: bool = True  # mirrored clips count too; off where left and right carry meaning
    random_crop: Annotated[float, Range(0.0, 0.5)] = 0.1  # at most this share of each side is cut off (pixels only)
    random_color: Annotated[float, Range(0.0, 0.9)] = 0.1  # brightness and contrast vary by this share (pixels only)
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0
    # GPUs of this machine that share each batch, or "all"; on a machine without GPUs, the CPU devices of the backend.
    devices: Annotated[int, Range(1, 1024)] | Literal["all"] = 1

    def __post_init__(self) -> None:
        check_settings(self)


def check_field_budgets(budgets: Sequence[int], num_fields: int, num_tokens: int) -> None:
    """Refuses numbers of tokens by field that do not fit the fields or the tokens; none at all fits.

    Raises:
        InputError: There is not one number for each field, one is negative, or together they exceed `num_tokens`.
    """
    if budgets and (len(budgets) != num_fields or min(budgets) < 0 or sum(budgets) > num_tokens):
        raise InputError(
            f"field_budgets: expected one number >= 0 for each of {num_fields} text fields, whose sum is at most "
            f"num_tokens={num_tokens}. Received: {list(budgets)}"
        )


Config = TypeVar("Config", bound="DataclassInstance")

_RENAMED = {"num_nets": "ensemble_size"}  # by their names in older versions, for those who still type them


def from_mapping(kind: type[Config], values: Mapping[str, Any], section: str) -> Config:
    """Builds a configuration from JSON values.

    Args:
        kind: The dataclass.
        values: Setting names and values; those missing keep their defaults, where they have one.
        section: How the user calls this group of settings, for the messages ("model").

    Raises:
        InputError: A key is unknown or missing, a value has the wrong type or is out of range.
    """
    fields = dataclasses.fields(kind)
    check_keys(values, [field.name for field in fields], section)
    for field in fields:
        is_required = field.default is field.default_factory is dataclasses.MISSING
        if is_required and field.name not in values:
            raise InputError(f"{section}: expected the setting {field.name!r}. Received: {', '.join(values) or 'none'}")
    hints = hints_of(kind)
    try:
        return kind(**{key: from_json(value, hints[key]) for key, value in values.items()})
    except InputError as error:
        raise InputError(f"{section}.{error}") from None


def check_keys(values: Iterable[str], known: Sequence[str], section: str) -> None:
    """Refuses names of settings that do not exist, with the name that was probably meant.

    Raises:
        InputError: A name is not among the known ones.
    """
    for key in values:
        if key not in known:
            near = [_RENAMED[key]] if key in _RENAMED else difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"expected one of: {', '.join(known)}"
            raise InputError(f"unknown setting {section}.{key}: {advice}")


def to_mapping(config: PrepareConfig | ModelConfig | TrainConfig) -> dict[str, Any]:
    """The settings as JSON values; `from_mapping` is the inverse."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def without_machine(config: TrainConfig) -> dict[str, Any]:
    """The settings of training as JSON values, all but those that are chosen for a machine."""
    return {name: value for name, value in to_mapping(config).items() if name not in OF_MACHINE}


def parse_override(text: str, sections: tuple[str, ...]) -> tuple[str, str, Any]:
    """Splits `SECTION.KEY=VALUE` (VALUE is JSON, or a bare word) as `--set` takes it.

    Raises:
        InputError: It has another form, or the section is none of `sections`.
    """
    name, equals, value = text.partition("=")
    section, dot, key = name.partition(".")
    if not (equals and dot and key) or section not in sections:
        example = " or ".join(f"{known}.KEY=VALUE" for known in sections)
        raise InputError(f"--set: expected {example}. Received: {text!r}")
    try:
        return section, key, json.loads(value)
    except (ValueError, RecursionError):
        return section, key, value


def _check_languages(languages: tuple[str, ...]) -> None:
    for language in languages:
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", language):
            raise InputError(f"languages: expected language codes such as 'en' or 'pt-BR'. Received: {language!r}")


def _check_pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(f"{name}: expected a regular expression. Received: {pattern!r} ({error})") from None
