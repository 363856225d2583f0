"""How far a student's scores are from its teacher's, both softened by a temperature.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), section 2. Models give scores, not
logits. Logits are the logarithms of softmax scores up to a number that the softmax does not see, and the log odds of
sigmoid scores. So an ensemble, whose scores are a mean, can be a teacher like any other model.

Legend of shapes: B batch, K classes.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_SMALLEST = 1e-20  # a softmax score, whose logarithm float32 still knows well
_NEAREST_TO_CERTAIN = 1e-7  # a sigmoid score to 0 or 1: float32 cannot tell 1 - 1e-8 from 1


@keras.saving.register_keras_serializable(package="vidmodel_tf")
class SoftenedDivergence(keras.losses.Loss):
    """T^2 KL(softmax(teacher / T) || softmax(student / T)) of softmax scores, both [B, K].

    Without the factor T^2 the gradients would fall with the square of the temperature, and with them the weight of the
    teacher beside the labels.

    Args:
        temperature: T, at least 1.
    """

    def __init__(self, temperature: float, name: str = "softened_divergence", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.temperature = temperature

    def call(self, teacher_BxK, student_BxK):
        teacher, student = (
            ops.log_softmax(ops.log(ops.maximum(scores, _SMALLEST)) / self.temperature)
            for scores in (teacher_BxK, student_BxK)
        )
        return self.temperature**2 * ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}


@keras.saving.register_keras_serializable(package="vidmodel_tf")
class SoftenedBinaryDivergence(SoftenedDivergence):
    """The same of sigmoid scores: T^2 KL of a class's two outcomes, averaged over the classes."""

    def __init__(self, temperature: float, name: str = "softened_binary_divergence", **kwargs: Any) -> None:
        super().__init__(temperature, name=name, **kwargs)

    def call(self, teacher_BxK, student_BxK):
        teacher, student = (self._logits(scores) for scores in (teacher_BxK, student_BxK))
        given = ops.sigmoid(teacher) * (ops.log_sigmoid(teacher) - ops.log_sigmoid(student))
        not_given = ops.sigmoid(-teacher) * (ops.log_sigmoid(-teacher) - ops.log_sigmoid(-student))
        return self.temperature**2 * ops.mean(given + not_given, axis=-1)

    def _logits(self, scores):
        scores = ops.clip(scores, _NEAREST_TO_CERTAIN, 1 - _NEAREST_TO_CERTAIN)
        return (ops.log(scores) - ops.log(1 - scores)) / self.temperature
