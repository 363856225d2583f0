import json

import pytest

from vidmodel_tf.config import (
    ModelConfig,
    PrepareConfig,
    TrainConfig,
    from_mapping,
    parse_override,
    to_mapping,
)
from vidmodel_tf.errors import InputError


@pytest.mark.parametrize("kind", [PrepareConfig, ModelConfig, TrainConfig])
def test_json_round_trip(kind):
    assert from_mapping(kind, json.loads(json.dumps(to_mapping(kind()))), "x") == kind()


def test_round_trip_keeps_lists_and_objects():
    model = ModelConfig(text_fields=("title", "tags"), field_budgets=(10, 20))
    train = TrainConfig(head_weights={"mood": 0.5})
    assert from_mapping(ModelConfig, to_mapping(model), "model") == model
    assert from_mapping(TrainConfig, to_mapping(train), "train") == train


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"num_frame": 3}, r"unknown setting model\.num_frame: did you mean 'num_frames'\?"),
        ({"num_nets": 3}, r"unknown setting model\.num_nets: did you mean 'ensemble_size'\?"),
        ({"zzz": 3}, r"unknown setting model\.zzz: expected one of: backbone, "),
        ({"num_frames": "3"}, r"model\.num_frames: expected a whole number\. Received: '3'"),
        ({"num_frames": True}, r"model\.num_frames: expected a whole number"),
        ({"num_frames": 2.5}, r"model\.num_frames: expected a whole number"),
        ({"num_frames": 0}, r"model\.num_frames: expected 1 to 4096\. Received: 0"),
        ({"dropout": float("nan")}, r"model\.dropout: expected 0\.0 to 0\.95\. Received: nan"),
        ({"streams": "optical"}, r"model\.streams: expected one of 'appearance', 'motion', 'both'"),
        ({"text_fields": ["title", "title"]}, r"text_fields: expected some of .* each at most once"),
        ({"text_fields": "title"}, r"model\.text_fields: expected a list of texts"),
        ({"field_budgets": [1, 2]}, r"field_budgets: expected one number >= 0 for each of 4 text fields"),
        ({"field_budgets": [-1, 2, 2, 2]}, r"field_budgets: .* Received: \[-1, 2, 2, 2\]"),
        ({"vocabulary_size": 5}, r"vocabulary_size: expected at least 6, for padding, the unknown word and the 4 text"),
        (
            {"hidden_units": 0, "text_fields": ["question", "title"]},
            r"model\.hidden_units: expected at least 1 with 'question' among text_fields, .* Received: 0",
        ),
        ({"num_tokens": 4, "field_budgets": [4, 4, 4, 4]}, r"sum is at most num_tokens=4"),
    ],
)
def test_bad_settings_are_refused_by_name(values, words):
    with pytest.raises(InputError, match=words):
        from_mapping(ModelConfig, values, "model")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"languages": "en"}, r"prepare\.languages: expected a list of texts, .* Received: 'en'"),
        ({"languages": ["english"]}, r"languages: expected language codes such as 'en' or 'pt-BR'\. .*'english'"),
        ({"languages": [""]}, r"languages: expected language codes"),
        ({"source_pattern": "("}, r"prepare\.source_pattern: expected a regular expression\. Received: '\(' \("),
        ({"words": ["ocr"]}, r"prepare\.words: expected a list of any of 'tracks', 'captions', .*Received: \['ocr'\]"),
        ({"follow_links": 1}, r"prepare\.follow_links: expected true or false"),
    ],
)
def test_bad_settings_of_words_and_sources(values, words):
    with pytest.raises(InputError, match=words):
        from_mapping(PrepareConfig, values, "prepare")


def test_languages_are_codes_with_or_without_a_region():
    languages = ("en", "pt-BR", "zh-Hans", "deu", "en-orig")
    assert PrepareConfig(languages=languages).languages == languages


def test_whole_numbers_serve_as_numbers():
    assert from_mapping(ModelConfig, {"dropout": 0}, "model").dropout == 0.0


def test_head_weights_are_checked():
    with pytest.raises(InputError, match=r"train\.head_weights: expected 0 to 1000000\. Received: mood=-1"):
        from_mapping(TrainConfig, {"head_weights": {"mood": -1}}, "train")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.height=64", ("model", "height", 64)),
        ("model.streams=both", ("model", "streams", "both")),
        ('model.text_fields=["title"]', ("model", "text_fields", ["title"])),
        ("train.mirror=false", ("train", "mirror", False)),
        ("model.weights=a=b.h5", ("model", "weights", "a=b.h5")),
    ],
)
def test_parse_override(text, expected):
    assert parse_override(text, ("model", "train")) == expected


@pytest.mark.parametrize("text", ["height=3", "model.height", "prepare.seed=1", "model.=3"])
def test_bad_override(text):
    with pytest.raises(InputError, match=r"--set: expected model\.KEY=VALUE or train\.KEY=VALUE\. Received"):
        parse_override(text, ("model", "train"))
