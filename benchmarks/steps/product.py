"""The model of this package, trained from scratch as `vidmodel train` does, or asked, on the backend KERAS_BACKEND."""

from __future__ import annotations

import keras
import numpy as np
from batches import repeated
from serve import serve
from work import NUM_CLASSES, NUM_TOKENS, NUM_WORDS, Work

from vidmodel_tf.backend.compiled import compiled
from vidmodel_tf.backend.fused import fused_training
from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.training.compile_model import compile_model
from vidmodel_tf.training.losses import compile_arguments

LABELS = Labels({"label": [str(i) for i in range(NUM_CLASSES)]})


def make_model(work: Work) -> keras.Model:
    config = ModelConfig(
        backbone="resnet50", weights="none", num_frames=work.frames, height=work.size, width=work.size,
        num_tokens=NUM_TOKENS, precision="mixed_bfloat16" if work.precision == "bfloat16" else "float32",
    )  # fmt: skip
    return build_model(config, LABELS, NUM_WORDS)


def train(work: Work) -> None:
    model, settings = make_model(work), TrainConfig()
    losses = compile_arguments(LABELS, label_smoothing=settings.label_smoothing)
    compile_model(model, settings.learning_rate, settings.weight_decay, losses)
    batch = work.inputs(), {"label": work.labels()}, {"label": np.ones(work.batch, np.float32)}
    with fused_training(model):
        serve(lambda number: model.fit(repeated(batch), steps_per_epoch=number, verbose=0))


def answer(work: Work) -> None:
    infer, inputs = compiled(make_model(work)), work.inputs()
    serve(lambda number: [infer(inputs) for _ in range(number)])


if __name__ == "__main__":
    asked = Work.from_command_line()
    train(asked) if asked.is_training else answer(asked)
