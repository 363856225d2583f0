"""How long forms of a model take for a clip, by turns with Keras."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from vidmodel_tf.export.report import median_milliseconds
from vidmodel_tf.forms.form import Form

Name = TypeVar("Name")


def time_forms(forms: Mapping[Name, Form], reference: Form) -> tuple[dict[Name, float], float]:
    """Times forms on one clip of random pixels with a word.

    Args:
        forms: By name.
        reference: The Keras model.

    Returns:
        The milliseconds of each, and those of Keras.
    """
    config = reference.run.config.model
    shape = (1, config.num_frames, config.height, config.width, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    models = [*forms.values(), reference]
    calls = {place: functools.partial(form.scores, frames, ["words"]) for place, form in enumerate(models)}
    *milliseconds, keras_milliseconds = median_milliseconds(calls).values()
    return dict(zip(forms, milliseconds, strict=True)), keras_milliseconds
