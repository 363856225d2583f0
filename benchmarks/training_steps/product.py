"""The model of this package, trained from scratch by `fit` as `vidmodel train` does, on the backend KERAS_BACKEND."""

from __future__ import annotations

import tensorflow as tf
from serve import serve
from work import NUM_CLASSES, NUM_TOKENS, NUM_WORDS, Work

from vidmodel_tf.backend.fused import fused_training
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.training.compile_model import compile_model
from vidmodel_tf.training.losses import compile_arguments

work, train = Work.from_command_line(), TrainConfig()
labels = Labels({"label": [str(i) for i in range(NUM_CLASSES)]})
config = ModelConfig(
    backbone="resnet50", weights="none", num_frames=work.frames, height=work.size, width=work.size,
    num_tokens=NUM_TOKENS, precision="mixed_bfloat16" if work.precision == "bfloat16" else "float32",
)  # fmt: skip
model = build_model(config, labels, NUM_WORDS)
losses = compile_arguments(labels, label_smoothing=train.label_smoothing)
compile_model(model, train.learning_rate, train.weight_decay, losses)
batch = work.inputs(), {"label": work.labels()}, {"label": [1.0] * work.batch}
batches = tf.data.Dataset.from_tensors(batch).repeat()
with fused_training(model):
    serve(lambda number: model.fit(batches, steps_per_epoch=number, verbose=0))
