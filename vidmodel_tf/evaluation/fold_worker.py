"""Trains the model of one fold, and scores the clips that it never saw."""

from __future__ import annotations

import functools
import shutil

from vidmodel_tf.backend.one_core import use_one_core
from vidmodel_tf.evaluation.fold_task import FoldTask
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import write_json
from vidmodel_tf.training.build_stage import BuiltStage
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.stages import run_stages
from vidmodel_tf.training.train import begin_run
from vidmodel_tf.workers import begin_worker

# A worker trains several folds of one data set: its clips are read once.
_open_data_set = functools.lru_cache(maxsize=1)(open_data_set)


def start_worker() -> None:
    """Must be called first in a worker process: one thread, as there are as many workers as cores, and no GPU.

    The process that filled the cache holds the GPU's memory; what is left to train is small.
    """
    begin_worker()
    use_one_core()


def run_fold(task: FoldTask) -> None:
    """Trains on all clips but the fold's, and writes the scores of the held-out clips."""
    data = _open_data_set(task.data).with_splits(task.split_of_clip)
    run = task.plan(data)
    stage = run_stages(Job.of(run, data, verbose=0), begin_run(run, task.backbone_source))
    write_json(task.scores, _held_out_scores(stage, data))
    shutil.rmtree(task.folder / layout.CHECKPOINTS)


def _held_out_scores(stage: BuiltStage, data: DataSet) -> dict[str, dict[str, list[float]]]:
    held_out = [clip.id for clip in data.in_split("test")]
    scores = stage.model.predict(stage.inference("test").map(lambda inputs, *_: inputs), verbose=0)
    return {
        clip_id: {head: values[row].tolist() for head, values in scores.items()} for row, clip_id in enumerate(held_out)
    }
