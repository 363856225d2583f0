"""How many weights a model has, as far as its settings say it: models that no machine holds are not built."""

from __future__ import annotations

from vidmodel_tf.config import ModelConfig
from vidmodel_tf.errors import InputError
from vidmodel_tf.labels import Labels

MAX_WEIGHTS = 2_000_000_000
_GATES = {"lstm": 4, "gru": 3}
_TRANSFORMER = 12  # times U * U a block: attention has 4, the two layers behind it 8


def check_settings_of_size(config: ModelConfig, labels: Labels, vocabulary_size: int) -> None:
    """Refuses settings of which the products with vectors alone have too many weights.

    Args:
        config: Of the model.
        labels: Class names by head.
        vocabulary_size: Number of token ids.

    Raises:
        InputError: They have.
    """
    num_weights = least_num_weights(config, labels, vocabulary_size)
    if num_weights > MAX_WEIGHTS:
        raise InputError(
            f"expected settings of a model of at most {MAX_WEIGHTS:,} weights. Received: {num_weights:,} or more; "
            "lower model.lstm_units, projection_units, hidden_units, text_lstm_units, embedding_units, num_layers or "
            "ensemble_size"
        )


def least_num_weights(config: ModelConfig, labels: Labels, vocabulary_size: int) -> int:
    """The number of weights without those of the backbone and of the projection, and without biases."""
    joined = num_weights = 0
    if config.has_frames:
        num_streams = 2 if config.streams == "both" else 1
        joined = num_streams * config.lstm_units * (2 if config.bidirectional else 1)
        num_weights = num_streams * _of_stream(config)
    if config.has_text:
        num_weights += vocabulary_size * (config.embedding_units or 1)
        if config.text_pooling != "mean":
            units = config.text_lstm_units
            num_weights += 4 * units * (units + (config.embedding_units or 1))
            joined += units
        if config.text_pooling != "last":
            joined += config.embedding_units or 1
    if config.hidden_units:
        num_weights += joined * config.hidden_units
        joined = config.hidden_units
    num_weights += joined * sum(map(len, labels.values()))
    return num_weights * config.ensemble_size


def _of_stream(config: ModelConfig) -> int:
    units = config.lstm_units
    if config.temporal == "transformer":
        return config.projection_units * units + config.num_layers * _TRANSFORMER * units * units
    directions = 2 if config.bidirectional else 1
    inputs = config.projection_units + (config.num_layers - 1) * directions * units
    return directions * _GATES[config.temporal] * units * (inputs + config.num_layers * units)
