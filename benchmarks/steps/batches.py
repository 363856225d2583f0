"""One batch again and again, for `fit`."""

from __future__ import annotations

import itertools
from typing import Any

import keras


def repeated(batch: Any) -> Any:
    """A batch without end, as `vidmodel train` has it; without TensorFlow, which a machine with a GPU may not have."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        from vidmodel_tf.records.fixed_parallelism import fixed_parallelism

        return fixed_parallelism(tf.data.Dataset.from_tensors(batch).repeat())
    return (batch for _ in itertools.count())
