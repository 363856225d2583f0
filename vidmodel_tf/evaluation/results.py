"""Results of an evaluation as values, each with the JSON that programs read.

The fields stand in the order of the JSON keys and have the same names. K is the number of classes of a head.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Interval = tuple[float, float]
"""The lower and the upper end of a 95 % interval."""

UnknownInterval = tuple[None, None]
"""In place of an interval that cannot be known."""


class Result:
    """A frozen dataclass whose fields are the keys of its JSON."""

    def to_json(self) -> dict[str, Any]:
        """The fields by name, tuples as lists, as JSON keeps them."""
        return _plain(self)


@dataclasses.dataclass(frozen=True)
class ClassFigures(Result):
    """Figures of one class of a single-label head; 0 where a figure would be 0/0.

    Attributes:
        precision: The share of the clips answered with this class that belong to it.
        recall: The share of the clips of this class that are answered with it.
        f1: The harmonic mean of both.
        support: The number of clips of this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclasses.dataclass(frozen=True)
class LabelFigures(ClassFigures):
    """Figures of one class of a multi-label head.

    Attributes:
        average_precision: The area under the curve of precision over recall; None where no clip has the class.
    """

    average_precision: float | None


@dataclasses.dataclass(frozen=True)
class AverageFigures(Result):
    """Precision, recall and F1 averaged over classes; None where no clip has a class."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclasses.dataclass(frozen=True)
class CalibrationBin(Result):
    """The scores in one of 15 bins of equal width.

    Attributes:
        confidence: The mean score; None where the bin is empty.
        accuracy: The share of these scores whose answer is right; None where the bin is empty.
        num_scores: How many scores are in the bin.
    """

    confidence: float | None
    accuracy: float | None
    num_scores: int


@dataclasses.dataclass(frozen=True)
class SingleLabelResult(Result):
    """Figures of a head whose clips have one class each. Without labelled clips every figure is None.

    Attributes:
        num_clips: The number of labelled clips.
        accuracy: The share of right answers.
        interval_95: Wilson's interval of the accuracy.
        baseline: The accuracy of always answering with the class most frequent in training.
        top_k: By k (below K): the share of clips whose class is among the k with the highest scores.
        balanced_accuracy: The mean recall of the classes that a clip has.
        macro_f1: The mean F1 of the classes that a clip has.
        per_class: By class name.
        confusion_matrix: [K][K] numbers of clips; rows are the truth, columns the answer.
        log_loss: The mean of -log(score of the true class), in nats.
        calibration_error: See `calibration.calibration`; of the highest score of each clip.
        calibration_bins: From low scores to high.
    """

    num_clips: int = 0
    accuracy: float | None = None
    interval_95: Interval | None = None
    baseline: float | None = None
    top_k: dict[int, float] | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    per_class: dict[str, ClassFigures] | None = None
    confusion_matrix: list[list[int]] | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    calibration_bins: tuple[CalibrationBin, ...] | None = None


@dataclasses.dataclass(frozen=True)
class MultiLabelResult(Result):
    """Figures of a head whose clips have any number of classes each. Without labelled clips every figure is None.

    Attributes:
        num_clips: The number of labelled clips.
        accuracy: Subset accuracy: the share of clips whose set of classes is exactly right.
        interval_95: Wilson's interval of the accuracy.
        baseline: The subset accuracy of always answering with the most frequent set.
        mean_average_precision: The mean over the classes that a clip has; None where no clip has a class.
        micro: Over all pairs of clip and class.
        macro: The mean over the classes that a clip has.
        per_class: By class name.
        calibration_error: See `calibration.calibration`; of every score.
        calibration_bins: From low scores to high.
    """

    num_clips: int = 0
    accuracy: float | None = None
    interval_95: Interval | None = None
    baseline: float | None = None
    mean_average_precision: float | None = None
    micro: AverageFigures | None = None
    macro: AverageFigures | None = None
    per_class: dict[str, LabelFigures] | None = None
    calibration_error: float | None = None
    calibration_bins: tuple[CalibrationBin, ...] | None = None


HeadResult = SingleLabelResult | MultiLabelResult


@dataclasses.dataclass(frozen=True)
class Evaluation(Result):
    """What `evaluate` measured.

    Attributes:
        split: The name of the split.
        num_clips: The number of its clips, labelled or not.
        data: The path of the data set.
        heads: By the name of the head.
        ablations: `{ablation: {head: accuracy}}`; None where the model lacks the branch that it is about.
    """

    split: str
    num_clips: int
    data: str
    heads: dict[str, HeadResult]
    ablations: dict[str, dict[str, float | None]]


@dataclasses.dataclass(frozen=True)
class PooledResult(Result):
    """Figures of one head over all folds and seeds of a cross-validation.

    Attributes:
        pooled_accuracy: The accuracy over all predictions of all seeds.
        interval_95: Its interval by a bootstrap over sources; unknown where there is one source only.
        mean: The mean of the accuracies of the folds.
        sd_over_seeds: The standard deviation (n - 1) of the pooled accuracies of the seeds; None for one seed.
        sd_over_folds: The standard deviation (n - 1) of the accuracies of all folds; None for one fold.
        num_clips: The number of labelled clips.
        num_sources: The number of their sources.
    """

    pooled_accuracy: float
    interval_95: Interval | UnknownInterval
    mean: float
    sd_over_seeds: float | None
    sd_over_folds: float | None
    num_clips: int
    num_sources: int


@dataclasses.dataclass(frozen=True)
class CrossValidation(Result):
    """What `crossvalidate` measured.

    Attributes:
        folds: The number of folds.
        seeds: The number of seeds.
        heads: By the name of the head; None where no clip is labelled.
        predictions: The path of `predictions.jsonl`.
        random_split: Whether clips of one source were in different folds, which flatters.
    """

    folds: int
    seeds: int
    heads: dict[str, PooledResult | None]
    predictions: str
    random_split: bool


@dataclasses.dataclass(frozen=True)
class PairedDifference(Result):
    """How much more accurate one cross-validation is than another of the same clips.

    Attributes:
        difference: Of the pooled accuracies; above 0 where the first is better.
        interval_95: Its interval by a bootstrap over sources; unknown where there is one source only.
        verdict: What the first is: "better", "worse", or "not told apart" where the interval holds 0.
    """

    difference: float
    interval_95: Interval | UnknownInterval
    verdict: str


@dataclasses.dataclass(frozen=True)
class Comparison(Result):
    """What `compare` found.

    Attributes:
        heads: By the name of the head.
    """

    heads: dict[str, PairedDifference]

    def to_json(self) -> dict[str, Any]:
        """`{HEAD: {"difference", "interval_95", "verdict"}}`."""
        return _plain(self.heads)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
