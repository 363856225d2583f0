"""Trains the model of one fold, and scores the clips that it never saw."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vidmodel_tf.backend.one_core import use_one_core
from vidmodel_tf.evaluation.fold_task import FoldTask
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import atomic_write, write_json
from vidmodel_tf.training.build_stage import BuiltStage
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.stages import run_stages
from vidmodel_tf.training.train import begin_run
from vidmodel_tf.workers import begin_worker

LeftFiles = Mapping[str, bytes]  # contents by path inside the folder of a fold

# A worker trains several folds of one data set: its clips are read once.
_open_data_set = functools.lru_cache(maxsize=1)(open_data_set)


def start_worker() -> None:
    """Must be called first in a worker process: one thread, as there are as many workers as cores, and no GPU.

    The process that filled the cache holds the GPU's memory; what is left to train is small.
    """
    begin_worker()
    use_one_core()


def run_fold(task: FoldTask) -> LeftFiles:
    """Trains on all clips but the fold's, and writes the scores of the held-out clips.

    Returns:
        Nothing that is still to be kept.
    """
    data = _open_data_set(task.data).with_splits(task.split_of_clip)
    run = task.plan(data)
    stage = run_stages(Job.of(run, data, verbose=0), begin_run(run, task.backbone_source))
    write_json(task.scores, _held_out_scores(stage, data))
    shutil.rmtree(task.folder / layout.CHECKPOINTS)
    return {}


def run_fold_apart(task: FoldTask) -> LeftFiles:
    """Does the same in a folder of its own, on a machine that does not write where the cross-validation is."""
    with tempfile.TemporaryDirectory() as name:
        apart = dataclasses.replace(task, folder=Path(name) / task.folder.name)
        run_fold(apart)
        files = [path for path in sorted(apart.folder.rglob("*")) if path.is_file()]
        return {path.relative_to(apart.folder).as_posix(): path.read_bytes() for path in files}


def keep_files(task: FoldTask, files: LeftFiles) -> None:
    """Writes what a fold has left on another machine; the scores last, for with them it counts as finished."""
    if not files:
        return
    shutil.rmtree(task.folder, ignore_errors=True)  # of an attempt on this machine that was interrupted
    for name in sorted(files, key=lambda name: name == task.scores.name):
        with atomic_write(task.folder / name) as beside:
            beside.write_bytes(files[name])


def _held_out_scores(stage: BuiltStage, data: DataSet) -> dict[str, dict[str, list[float]]]:
    held_out = [clip.id for clip in data.in_split("test")]
    scores = stage.model.predict(stage.inference("test").map(lambda inputs, *_: inputs), verbose=0)
    return {
        clip_id: {head: values[row].tolist() for head, values in scores.items()} for row, clip_id in enumerate(held_out)
    }
