"""Keeps an evaluation in the run folder: `evaluation/SPLIT.json`, and pictures beside it."""

from __future__ import annotations

from pathlib import Path

from vidmodel_tf.evaluation.results import Evaluation, HeadResult, SingleLabelResult
from vidmodel_tf.pages.pictures import save_confusion_matrix, save_reliability_diagram
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.storage import read_json, write_json

_DATA = "data.json"  # which data set the results in a folder are about


def keep_evaluation(result: Evaluation, folder: Path) -> None:
    """Writes `SPLIT.json`, and for each labelled head a reliability diagram and, with one class a clip, a confusion
    matrix.

    Args:
        result: What was measured.
        folder: Where to.
    """
    write_json(folder / f"{result.split}.json", result.to_json())
    for head, figures in result.heads.items():
        if figures.num_clips:
            _save_pictures(figures, folder / f"{result.split}_{head}", f"{head}, {result.split}")


def folder_of_data(folder: Path, data: DataSet) -> Path:
    """The folder below `folder` for results on a data set: its name, or its name and fingerprint where another data set
    of that name was there first.

    Args:
        folder: Of a run's results.
        data: Another data set than the run's own.
    """
    name = data.path.resolve().name
    if _fingerprint_in(folder / name) not in (None, data.fingerprint):
        name = f"{name}-{data.fingerprint[:8]}"
    write_json(folder / name / _DATA, {"data": str(data.path.resolve()), "data_fingerprint": data.fingerprint})
    return folder / name


def _fingerprint_in(folder: Path) -> str | None:
    path = folder / _DATA
    return read_json(path).get("data_fingerprint") if path.is_file() else None


def _save_pictures(figures: HeadResult, stem: Path, title: str) -> None:
    bins = figures.calibration_bins or ()
    save_reliability_diagram(
        stem.with_name(f"{stem.name}_reliability.png"),
        [bin_.confidence for bin_ in bins],
        [bin_.accuracy for bin_ in bins],
        [bin_.num_scores for bin_ in bins],
        title,
    )
    if isinstance(figures, SingleLabelResult):
        path = stem.with_name(f"{stem.name}_confusion.png")
        class_names = list(figures.per_class or ())
        save_confusion_matrix(
            path, figures.confusion_matrix or [], class_names, f"{title}: accuracy {figures.accuracy:.3f}"
        )
