"""The number of weights that settings ask for, beside what Keras counts in the models that are built from them."""

from __future__ import annotations

import dataclasses
import math

import pytest

from tests.conftest import MODEL
from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.model.num_weights import MAX_WEIGHTS, least_num_weights

LABELS = Labels({"colour": ["red", "blue"], "topic": ["a", "b", "c"]})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"temporal": "gru", "num_layers": 2, "bidirectional": True, "streams": "both"},
        {"temporal": "transformer", "num_layers": 2},
        {"branches": "text", "hidden_units": 0},
        {"branches": "video", "hidden_units": 0, "num_layers": 3, "bidirectional": True},
        {"text_pooling": "mean", "ensemble_size": 2},
    ],
    ids=str,
)
def test_it_counts_what_keras_builds_but_for_biases(changes: dict) -> None:
    config = dataclasses.replace(MODEL, **changes)
    head = build_model(config, LABELS, 50).get_layer("head")
    kernels = [weight for weight in head.weights if weight.path.endswith(("kernel", "embeddings"))]
    products = sum(math.prod(weight.shape) for weight in kernels)
    assert 0.95 * products <= least_num_weights(config, LABELS, 50) <= products


@pytest.mark.parametrize(
    "changes",
    [
        {"lstm_units": 65_536},
        {"projection_units": 65_536, "lstm_units": 8192},
        {"hidden_units": 65_536, "lstm_units": 32_768},
        {"embedding_units": 65_536, "vocabulary_size": 1_000_000},
        {"text_lstm_units": 65_536},
        {"temporal": "transformer", "lstm_units": 65_536},
        {"lstm_units": 4096, "ensemble_size": 64},
    ],
    ids=str,
)
def test_settings_of_models_that_no_machine_holds_are_not_built(changes: dict) -> None:
    config = ModelConfig(backbone="small_cnn", weights="none", **changes)
    with pytest.raises(InputError, match=rf"at most {MAX_WEIGHTS:,} weights. Received: \d+,\d+,\d+,\d+ or"):
        build_model(config, LABELS, config.vocabulary_size)
