"""The scores of a teacher, computed once for each clip and kept in the run folder of its student."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidmodel_tf.labels import Labels
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder import layout
from vidmodel_tf.run_folder.distillation import Distillation
from vidmodel_tf.storage import atomic_write

_SPLITS = ("train", "validation")
_PREFIX = "scores."  # before the name of a head in the file


@dataclasses.dataclass(frozen=True)
class TeacherScores:
    """What a teacher says of clips.

    Attributes:
        ids: Of n clips.
        by_head: `{head: float32 [n, K]}`, 0 to 1.
    """

    ids: Sequence[str]
    by_head: Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A trained model that another one learns from.

    Attributes:
        distillation: Which model it is, and how the student learns from it.
        labels: Its heads and classes, which the student gets too.
        thresholds: `{head: [K]}` for multi-label heads, which the student begins with.
        word_vectors: Where its word vectors lie, if it has any.
        ask: `ask(data, split)` gives its scores of the clips of a split, in the order of `data.in_split(split)`.
    """

    distillation: Distillation
    labels: Labels
    thresholds: dict[str, list[float]]
    word_vectors: Path
    ask: Callable[[DataSet, str], Mapping[str, np.ndarray]]


def keep_teacher_scores(teacher: Teacher, data: DataSet, run_dir: Path) -> TeacherScores:
    """The scores of the clips that a student is trained and validated on; a training that goes on finds them kept.

    Args:
        teacher: The teacher.
        data: The student's data set, in the splits that it is trained with.
        run_dir: The student's run folder.
    """
    path = run_dir / layout.TEACHER_SCORES
    splits = [split for split in _SPLITS if data.count(split)]
    ids = [clip.id for split in splits for clip in data.in_split(split)]
    kept = _read(path, teacher, ids)
    if kept is None:
        answers = [teacher.ask(data, split) for split in splits]
        kept = TeacherScores(ids, {head: np.concatenate([each[head] for each in answers]) for head in teacher.labels})
        _write(path, kept, teacher)
    return kept


def _write(path: Path, scores: TeacherScores, teacher: Teacher) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    num_bytes = sum(values.nbytes for values in scores.by_head.values())
    with atomic_write(path, num_bytes=num_bytes) as beside, beside.open("wb") as file:
        by_name: dict[str, Any] = {_PREFIX + head: values for head, values in scores.by_head.items()}
        np.savez(file, fingerprint=teacher.distillation.fingerprint, ids=scores.ids, **by_name)


def _read(path: Path, teacher: Teacher, ids: list[str]) -> TeacherScores | None:
    """None where there are none, or those of another teacher or of other clips."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["fingerprint"]) != teacher.distillation.fingerprint or file["ids"].tolist() != ids:
                return None
            return TeacherScores(ids, {head: file[_PREFIX + head] for head in teacher.labels})
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None  # computed again
