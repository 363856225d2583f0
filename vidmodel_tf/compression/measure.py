"""A student beside its teacher: size, speed and how often each is right."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import keras
import numpy as np

from vidmodel_tf.compression.cost import multiply_adds, num_channels
from vidmodel_tf.compression.results import Compression, HeadFigures, ModelFigures
from vidmodel_tf.compression.score_split import score_split
from vidmodel_tf.evaluation.cross_metrics import paired_difference
from vidmodel_tf.evaluation.fold_predictions import predict_heads
from vidmodel_tf.evaluation.predictions import Prediction
from vidmodel_tf.export.report import median_milliseconds
from vidmodel_tf.export.trained import TrainedRun
from vidmodel_tf.forms.fingerprint import fingerprint
from vidmodel_tf.forms.form import Scores
from vidmodel_tf.forms.keras_form import KerasForm
from vidmodel_tf.model.trainable import backbone_of
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions


def measure_compression(teacher: TrainedRun, student: TrainedRun, data: DataSet) -> Compression:
    """Asks both about the test clips (validation or training clips where there are none), and times them by turns.

    Args:
        teacher: The larger model.
        student: One with the same heads.
        data: The data set of the student, in the splits that it was trained with.
    """
    split = data.split_to_measure
    models = {"teacher": teacher, "student": student}
    answers = [_predict(model.reference, data, split, f"measuring, {name}") for name, model in models.items()]
    milliseconds = median_milliseconds(
        {name: _ask_about_a_clip(model.reference, data, split) for name, model in models.items()}
    )
    return Compression(
        teacher=_cost(teacher, milliseconds["teacher"]),
        student=_cost(student, milliseconds["student"]),
        speedup=milliseconds["teacher"] / milliseconds["student"],
        split=split,
        num_clips=data.count(split),
        heads={head: _compare(answers[0], answers[1], head) for head in student.run.labels},
    )


def _predict(form: KerasForm, data: DataSet, split: str, description: str) -> list[Prediction]:
    run, scores = form.run, score_split(form, data, split, description)
    return [
        Prediction(
            seed=run.config.train.seed,
            fold=1,
            id=clip.id,
            source=clip.source,
            heads=predict_heads({head: scores[head][row] for head in run.labels}, clip, run.labels, run.thresholds),
        )
        for row, clip in enumerate(data.in_split(split))
    ]


def _compare(teacher: Sequence[Prediction], student: Sequence[Prediction], head: str) -> HeadFigures:
    pairs = [(one.heads[head], other.heads[head]) for one, other in zip(teacher, student, strict=True)]
    labelled = [pair for pair in pairs if pair[0].truth is not None]
    accuracies = [float(np.mean([each.is_right for each in one])) for one in zip(*labelled, strict=True)]
    return HeadFigures(
        num_clips=len(labelled),
        teacher_accuracy=accuracies[0] if labelled else None,
        student_accuracy=accuracies[1] if labelled else None,
        difference=paired_difference(student, teacher, head) if labelled else None,
        label_agreement=float(np.mean([one.answer == other.answer for one, other in pairs])),
    )


def _ask_about_a_clip(form: KerasForm, data: DataSet, split: str) -> functools.partial[Scores]:
    _, question = next(data.questions(split, form.run.config.model))
    return functools.partial(form.scores, decode_questions([question], form.run.config.model), [question.words])


def _cost(trained: TrainedRun, milliseconds: float) -> ModelFigures:
    sizes = [
        (math.prod(weight.shape), keras.backend.standardize_dtype(weight.dtype)) for weight in trained.model.weights
    ]
    backbone = backbone_of(trained.model) if trained.run.config.model.has_frames else None
    return ModelFigures(
        path=str(trained.run.path),
        fingerprint=fingerprint(trained.run.path),
        num_parameters=sum(size for size, _ in sizes),
        num_bytes=sum(size * np.dtype(dtype).itemsize for size, dtype in sizes),
        backbone_channels=None if backbone is None else num_channels(backbone),
        backbone_multiply_adds=None if backbone is None else multiply_adds(backbone),
        milliseconds=milliseconds,
    )
