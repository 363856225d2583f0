"""What a compression is worth, as values with the JSON that `compress.json` holds."""

from __future__ import annotations

import dataclasses

from vidmodel_tf.evaluation.results import PairedDifference, Result


@dataclasses.dataclass(frozen=True)
class ModelFigures(Result):
    """What a model costs.

    Attributes:
        path: Its run folder.
        fingerprint: See `forms.fingerprint`.
        num_parameters: Numbers in the model, those that are not trained too.
        num_bytes: Of these; a `model.keras` may be larger, where it holds the state of the optimizer.
        backbone_channels: Of all convolutions of the backbone; None for a model of words alone.
        backbone_multiply_adds: Of the backbone for one picture; None where its layers are not all of a kind that can be
            counted, and for a model of words alone.
        milliseconds: The median of one clip, from decoded frames to scores, on this machine.
    """

    path: str
    fingerprint: str
    num_parameters: int
    num_bytes: int
    backbone_channels: int | None
    backbone_multiply_adds: int | None
    milliseconds: float


@dataclasses.dataclass(frozen=True)
class HeadFigures(Result):
    """What both models answer for one head.

    Attributes:
        num_clips: Labelled ones.
        teacher_accuracy: The share of right answers of the teacher; None where no clip is labelled.
        student_accuracy: The same of the student.
        difference: Student minus teacher, clip by clip; None where no clip is labelled.
        label_agreement: The share of all clips, labelled or not, that both answer alike.
    """

    num_clips: int
    teacher_accuracy: float | None
    student_accuracy: float | None
    difference: PairedDifference | None
    label_agreement: float


@dataclasses.dataclass(frozen=True)
class Compression(Result):
    """A student beside its teacher.

    Attributes:
        teacher: The teacher.
        student: The student.
        speedup: How many times as fast as the teacher the student is.
        split: The split that both were asked about.
        num_clips: The number of its clips.
        heads: By the name of the head.
    """

    teacher: ModelFigures
    student: ModelFigures
    speedup: float
    split: str
    num_clips: int
    heads: dict[str, HeadFigures]
