"""One fold of a cross-validation: a model trained on the rest, and its scores for the clips that were held out."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import tensorflow as tf

from vidmodel_tf.config import ModelConfig, TrainConfig
from vidmodel_tf.records.data_set import DataSet
from vidmodel_tf.run_folder import layout
from vidmodel_tf.storage import write_json
from vidmodel_tf.training.build_stage import BuiltStage
from vidmodel_tf.training.job import Job
from vidmodel_tf.training.stages import run_stages
from vidmodel_tf.training.train import begin_run, plan_run
from vidmodel_tf.workers import begin_worker


@dataclasses.dataclass(frozen=True)
class FoldTask:
    """What a worker process needs to know.

    Attributes:
        data: The data set in the splits of the fold.
        folder: Where the fold leaves `scores.json`, `history.csv` and `logs/`.
        model: The settings of the graph.
        train: How it is trained; its seed is that of the partition too.
        fold: From 1.
    """

    data: DataSet
    folder: Path
    model: ModelConfig
    train: TrainConfig
    fold: int


def start_worker() -> None:
    """To be called first in a worker process: one thread, as there are as many workers as cores, and no GPU.

    The process that let the backbone see the clips holds a GPU's memory; what is left to train is small.
    """
    begin_worker()
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def run_fold(task: FoldTask) -> None:
    """Trains on all but the fold and writes `scores.json`: {clip id: {head: scores [K]}} of the held-out clips."""
    run = plan_run(task.data, task.folder, task.model, task.train)
    stage = run_stages(Job.of(run, task.data, verbose=0), begin_run(run))
    write_json(task.folder / "scores.json", _held_out_scores(stage, task.data))
    shutil.rmtree(task.folder / layout.CHECKPOINTS)


def _held_out_scores(stage: BuiltStage, data: DataSet) -> dict[str, dict[str, list[float]]]:
    held_out = [clip.id for clip in data.in_split("test")]
    scores = stage.model.predict(stage.inference("test").map(lambda inputs, *_: inputs), verbose=0)
    return {
        clip_id: {head: values[row].tolist() for head, values in scores.items()} for row, clip_id in enumerate(held_out)
    }
