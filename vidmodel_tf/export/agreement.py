"""How far the answers of exported models are from Keras's, and how often they are right, on clips of the data set."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from vidmodel_tf.decision import decide
from vidmodel_tf.forms.agreement import compare_scores, share_alike
from vidmodel_tf.forms.form import Form, Scores
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.frames import decode_questions
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder.run import Run

MAX_CLIPS = 200


def report_agreement(models: Mapping[str, Form], run: Run, data: DataSet) -> dict[str, Any]:
    """Asks all forms of a model the same questions.

    Args:
        models: By name; "keras" is what the others are held against.
        run: The run that they were made from.
        data: Its data set, in the splits that it was trained with.

    Returns:
        `{"split", "num_clips", "keras": {HEAD: accuracy}, "models": {NAME: {HEAD: {"max_difference",
        "label_agreement", "accuracy"}}}}`, measured on the test clips (validation or training clips where there are
        none), at most 200.
    """
    split = next(name for name in ("test", "validation", "train") if data.count(name))
    answers, truths = _answers(models, run, data, split)
    expected = answers.pop("keras")
    return {
        "split": split,
        "num_clips": len(next(iter(truths.values()))),
        "keras": {head: _accuracy(expected[head], truths[head], head, run) for head in run.labels},
        "models": {
            name: {
                head: {
                    **compare_scores(scores[head], expected[head], head, run).to_json(),
                    "accuracy": _accuracy(scores[head], truths[head], head, run),
                }
                for head in run.labels
            }
            for name, scores in answers.items()
        },
    }


def _answers(
    models: Mapping[str, Form], run: Run, data: DataSet, split: str
) -> tuple[dict[str, Scores], dict[str, list[Any]]]:
    """The scores of each model, and what is true by head, None where that is not known."""
    rows: dict[str, list[Scores]] = {name: [] for name in models}
    truths: dict[str, list[Any]] = {head: [] for head in run.labels}
    total = min(MAX_CLIPS, data.count(split))
    questions = itertools.islice(data.questions(split, run.config.model), total)
    for clip, question in track(questions, "measuring", total):
        frames = decode_questions([question], run.config.model)
        for name, model in models.items():
            rows[name].append(model.scores(frames, [question.words]))
        for head in run.labels:
            truths[head].append(_class_ids(clip, head, run))
    joined = {
        name: {head: np.concatenate([row[head] for row in answers]) for head in run.labels}
        for name, answers in rows.items()
    }
    return joined, truths


def _class_ids(clip: StoredClip, head: str, run: Run) -> int | list[bool] | None:
    label, names = clip.labels[head], run.labels[head]
    if label is None:
        return None
    return [name in label for name in names] if isinstance(label, tuple) else names.index(label)


def _accuracy(scores: np.ndarray, truths: list[Any], head: str, run: Run) -> float | None:
    labelled = [row for row, truth in enumerate(truths) if truth is not None]
    if not labelled:
        return None
    return share_alike(decide(scores[labelled], run.thresholds.get(head)), np.array([truths[row] for row in labelled]))
