"""How good a model is on a split, and how good it still is when a part of its input is taken away."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.ablations import ABLATIONS, FULL, score_variants
from vidmodel_tf.evaluation.keep_evaluation import folder_of_data, keep_evaluation
from vidmodel_tf.evaluation.metrics import multi_label_metrics, single_label_metrics
from vidmodel_tf.evaluation.results import Evaluation, HeadResult
from vidmodel_tf.forms.form import Form
from vidmodel_tf.forms.open_model import open_model
from vidmodel_tf.labels import Labels
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.own_data import is_own_data
from vidmodel_tf.run_folder.run import Run


def evaluate(model: str | Path | Form, *, data: str | Path | None = None, split: str = "test") -> Evaluation:
    """Measures a model on a split.

    The result for a run folder that can be written is kept in it, as `evaluation/SPLIT.json`, or
    `evaluation/NAME/SPLIT.json` for another data set than its own (`NAME-FINGERPRINT` where another data set of that
    name came first). An exported model is left as it is.

    The ablations tell what the answers rest on. `without_text`: no clip has words. `without_frames`: each clip has
    the frames of another clip. `shuffled_frames`: each clip has its own frames in a random order.

    Args:
        model: A run folder, an exported model, or one already opened.
        data: A prepared data set; by default the one that the model was trained on.
        split: Its name.

    Raises:
        InputError: There is no such model, data set or split, or the data set has other heads or classes.
    """
    form = open_model(model)
    data_set = open_data_of(form.run, data)
    is_own = is_own_data(data_set, form.run)
    check_labels(data_set.labels, form.run)
    result = measure(form, data_set.with_fold(form.run.fold if is_own else None), split)
    if form.keeps_results and os.access(form.run.path, os.W_OK):
        folder = form.run.path / layout.EVALUATION
        keep_evaluation(result, folder if is_own else folder_of_data(folder, data_set))
    elif form.keeps_results:
        print(f"{form.run.path} cannot be written: the result is not kept there", file=sys.stderr)
    return result


def measure(form: Form, data: DataSet, split: str) -> Evaluation:
    """Measures a model on a split, and writes nothing.

    Args:
        form: The model.
        data: A data set with the model's heads and classes.
        split: Its name.

    Raises:
        InputError: The split has no clips, or its frames do not fit the model.
    """
    scores, clips, training = score_variants(form, data, split), data.in_split(split), data.in_split("train")
    results = {
        variant: {head: _measure_head(head, values[head], clips, form.run, training) for head in form.run.labels}
        for variant, values in scores.items()
    }
    return Evaluation(
        split=split,
        num_clips=len(clips),
        data=str(data.path),
        heads=results[FULL],
        ablations={
            name: {head: results[name][head].accuracy if name in results else None for head in form.run.labels}
            for name in ABLATIONS
        },
    )


def open_data_of(run: Run, data: str | Path | None) -> DataSet:
    """Opens a data set; by default the one that a run was trained on.

    Raises:
        InputError: There is none.
    """
    path = run.data if data is None else Path(data)
    if path is None:
        raise InputError(f"{run.path} does not say on which data set it was trained: give --data data/NAME")
    if not path.is_dir():
        raise InputError(f"there is no data set at {path}: give --data where the prepared data set lies now")
    return open_data_set(path)


def check_labels(labels: Labels, run: Run) -> None:
    """Refuses a data set that lacks a head of the model, or has other classes for it.

    Raises:
        InputError: Names the first such head.
    """
    for head, names in run.labels.items():
        if labels.get(head) != names:
            raise InputError(
                f"the data set's classes for the head {head!r} differ from the model's: "
                f"expected {names}. Received: {labels.get(head)}"
            )
        if (head in labels.multi_label) != (head in run.labels.multi_label):
            kinds = ["one class a clip", "any number of classes a clip"]
            expected = kinds[head in run.labels.multi_label]
            raise InputError(f"the data set's head {head!r}: expected {expected}. Received: the other kind")


def _measure_head(
    head: str, scores_NxK: np.ndarray, clips: Sequence[StoredClip], run: Run, training: Sequence[StoredClip]
) -> HeadResult:
    names, labels = run.labels[head], [clip.labels[head] for clip in clips]
    is_labelled = np.array([label is not None for label in labels])
    if head in run.labels.multi_label:
        targets_NxK = np.array([[name in (label or ()) for name in names] for label in labels])
        return multi_label_metrics(scores_NxK, targets_NxK, is_labelled, names, run.thresholds[head])
    class_ids = np.array([-1 if label is None else names.index(str(label)) for label in labels])
    counts = Counter(clip.labels[head] for clip in training)
    train_counts = [counts[name] for name in names]
    return single_label_metrics(scores_NxK, class_ids, names, train_counts if any(train_counts) else None)
