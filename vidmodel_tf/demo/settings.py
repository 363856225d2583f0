"""The demo's settings: a model small enough to learn its task on two cores in a minute."""

from __future__ import annotations

from vidmodel_tf.config import ModelConfig, PrepareConfig, TrainConfig

PREPARE = PrepareConfig(num_stored_frames=16, short_side=64)
MODEL = ModelConfig(
    backbone="small_cnn",
    weights="none",
    num_frames=8,
    height=32,
    width=32,
    projection_units=64,
    lstm_units=96,
    num_tokens=24,
    embedding_units=32,
    text_lstm_units=48,
    hidden_units=192,
    dropout=0.0,
)
TRAIN = TrainConfig(epochs=20, batch_size=32, learning_rate=2e-3, patience=15, label_smoothing=0.0, random_color=0.0)
