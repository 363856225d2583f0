"""The scores of all folds -> predictions, each clip once per seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from vidmodel_tf.clips.clip import Label
from vidmodel_tf.decision import decide
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.fold_task import FoldTask
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder.thresholds import thresholds_of
from vidmodel_tf.storage import read_json


def collect_predictions(tasks: Sequence[FoldTask], data: DataSet) -> list[Prediction]:
    """Reads what finished folds have left.

    Args:
        tasks: Every fold of every seed.
        data: Their data set.

    Raises:
        InputError: The folds do not hold out each clip once per seed.
    """
    by_id = {clip.id: clip for clip in data.clips}
    thresholds = thresholds_of(data.labels)  # a fold keeps the thresholds that a run begins with
    predictions = [
        Prediction(task.train.seed, task.fold, clip_id, by_id[clip_id].source, heads)
        for task in tasks
        for clip_id, scores in read_json(task.scores).items()
        for heads in [predict_heads(scores, by_id[clip_id], data.labels, thresholds)]
    ]
    times = Counter((prediction.seed, prediction.id) for prediction in predictions)
    if set(times.values()) != {1} or len(times) != len(by_id) * len({task.train.seed for task in tasks}):
        raise InputError(
            "expected each clip to be held out once a seed. Received: folds of different partitions, as after the "
            "data set was prepared anew; remove the folder and begin anew"
        )
    return predictions


def predict_heads(
    scores: Mapping[str, Sequence[float]],
    clip: StoredClip,
    names: Mapping[str, Sequence[str]],
    thresholds: Mapping[str, Sequence[float]],
) -> dict[str, HeadPrediction]:
    """The answers about one clip beside the truth.

    Args:
        scores: `{head: [K]}`.
        clip: The clip.
        names: The classes of each head.
        thresholds: Of the multi-label heads.
    """
    return {
        head: _predict_head(values, clip.labels[head], names[head], thresholds.get(head))
        for head, values in scores.items()
    }


def _predict_head(
    scores: Sequence[float], truth: Label, names: Sequence[str], thresholds: Sequence[float] | None
) -> HeadPrediction:
    decided = decide(scores, thresholds)
    if thresholds is None:
        return HeadPrediction(truth, names[int(decided)], tuple(scores))
    answer = tuple(name for name, is_given in zip(names, decided, strict=True) if is_given)
    return HeadPrediction(None if truth is None else tuple(sorted(truth)), answer, tuple(scores))
