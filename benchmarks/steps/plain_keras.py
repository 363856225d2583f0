"""ResNet50 as Keras gives it and a dense layer, trained on as many pictures, on the backend KERAS_BACKEND."""

from __future__ import annotations

import keras
import numpy as np
from batches import repeated
from serve import serve
from work import NUM_CLASSES, Work

from vidmodel_tf.backend.compiled import jit_of_training

work = Work.from_command_line()
keras.mixed_precision.set_global_policy("mixed_bfloat16" if work.precision == "bfloat16" else "float32")
backbone = keras.applications.ResNet50(
    include_top=False, weights=None, pooling="avg", input_shape=(work.size, work.size, 3)
)
outputs = keras.layers.Dense(NUM_CLASSES, dtype="float32")(backbone.output)
model = keras.Model(backbone.input, outputs)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.AdamW(), loss=loss, jit_compile=jit_of_training())
pictures = work.inputs()["frames"].reshape(-1, work.size, work.size, 3).astype(np.float32)
batch = pictures, np.repeat(work.labels(), work.frames)
serve(lambda number: model.fit(repeated(batch), steps_per_epoch=number, verbose=0))
