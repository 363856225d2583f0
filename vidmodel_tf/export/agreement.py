"""How far exported models are from Keras, and how often each of them is right, on clips of the data set."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.forms.agreement import Agreement, compare_scores, share_alike
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder.run import Run

MAX_CLIPS = 200


@dataclasses.dataclass(frozen=True)
class MeasuredHead:
    """One head of one model.

    Attributes:
        agreement: How far it is from Keras.
        accuracy: The share of labelled clips that are answered rightly, 0 to 1; None where no clip is labelled.
    """

    agreement: Agreement
    accuracy: float | None

    def to_json(self) -> dict[str, float | None]:
        """`{"max_difference", "label_agreement", "accuracy"}`."""
        return {**self.agreement.to_json(), "accuracy": self.accuracy}


@dataclasses.dataclass(frozen=True)
class MeasuredModels:
    """Models that were asked about the same clips.

    Attributes:
        split: The split that the clips are from.
        num_clips: How many they are.
        keras: The accuracy of Keras by head; None where no clip is labelled.
        models: By the name of the model and by head.
    """

    split: str
    num_clips: int
    keras: dict[str, float | None]
    models: dict[str, dict[str, MeasuredHead]]

    def to_json(self) -> dict[str, object]:
        """`{"split", "num_clips", "keras": {HEAD: accuracy}, "models": {NAME: {HEAD: {"max_difference", ...}}}}`."""
        models = {
            name: {head: measured.to_json() for head, measured in heads.items()} for name, heads in self.models.items()
        }
        return {"split": self.split, "num_clips": self.num_clips, "keras": self.keras, "models": models}


def measure_models(reference: Form, models: Mapping[str, Form], data: DataSet) -> MeasuredModels:
    """Asks all forms of a model about the test clips (validation or training clips where there are none), at most 200.

    Args:
        reference: The Keras model, which the others are compared with.
        models: By name.
        data: The data set that it was trained on, in the splits that it was trained with.
    """
    run = reference.run
    split = data.split_to_measure
    (expected, *answers), clips = _ask([reference, *models.values()], run, data, split)
    truths = {head: [_truth(clip, head, run) for clip in clips] for head in run.labels}
    return MeasuredModels(
        split=split,
        num_clips=len(clips),
        keras={head: _accuracy(expected[head], truths[head], head, run) for head in run.labels},
        models={
            name: {
                head: MeasuredHead(
                    compare_scores(scores[head], expected[head], head, run),
                    _accuracy(scores[head], truths[head], head, run),
                )
                for head in run.labels
            }
            for name, scores in zip(models, answers, strict=True)
        },
    )


def _ask(models: Sequence[Form], run: Run, data: DataSet, split: str) -> tuple[list[Scores], list[StoredClip]]:
    """The scores [n, K] of each model by head, and the clips in the order of the rows."""
    rows: list[list[Scores]] = [[] for _ in models]
    clips, total = [], min(MAX_CLIPS, data.count(split))
    questions = itertools.islice(data.questions(split, run.config.model), total)
    for clip, question in track(questions, "measuring", total):
        clips.append(clip)
        frames = decode_questions([question], run.config.model)
        for model, answers in zip(models, rows, strict=True):
            answers.append(model.scores(frames, [question.words]))
    joined = [{head: np.concatenate([row[head] for row in answers]) for head in run.labels} for answers in rows]
    return joined, clips


def _truth(clip: StoredClip, head: str, run: Run) -> int | list[bool] | None:
    """The class id, or for a multi-label head whether each class is given; None where the clip is not labelled."""
    label, names = clip.labels[head], run.labels[head]
    if label is None:
        return None
    return [name in label for name in names] if isinstance(label, tuple) else names.index(label)


def _accuracy(scores: np.ndarray, truths: Sequence[int | list[bool] | None], head: str, run: Run) -> float | None:
    labelled = [row for row, truth in enumerate(truths) if truth is not None]
    if not labelled:
        return None
    return share_alike(decide(scores[labelled], run.thresholds.get(head)), np.array([truths[row] for row in labelled]))
