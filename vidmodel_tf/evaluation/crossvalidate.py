"""Cross-validation grouped by source: every clip answered by models that never saw its source.

The frozen backbone sees each clip once for all folds and seeds. In each fold the vocabulary and the standardisation
are made anew from its training clips, and early stopping looks at an inner split, grouped by source too.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pebble

from vidmodel_tf.clips.splits.assign import assign_folds
from vidmodel_tf.config import ModelConfig, TrainConfig, to_mapping
from vidmodel_tf.decision import decide
from vidmodel_tf.errors import InputError
from vidmodel_tf.evaluation.cross_metrics import pooled_metrics
from vidmodel_tf.evaluation.fold_worker import FoldTask, run_fold, start_worker
from vidmodel_tf.evaluation.predictions import HeadPrediction, Prediction, write_predictions
from vidmodel_tf.evaluation.results import CrossValidation
from vidmodel_tf.labels import Labels
from vidmodel_tf.model.build import build_model
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import open_data_set
from vidmodel_tf.records.stored_clip import StoredClip
from vidmodel_tf.run_folder.thresholds import thresholds_of
from vidmodel_tf.storage import read_json, write_json
from vidmodel_tf.training.build_stage import fill_caches
from vidmodel_tf.training.train import plan_run
from vidmodel_tf.workers import num_usable_cores, worker_context


def crossvalidate(
    data_dir: str | Path,
    out: str | Path,
    model_config: ModelConfig | None = None,
    train_config: TrainConfig | None = None,
    *,
    num_folds: int = 5,
    num_seeds: int = 3,
    random_split: bool = False,
    num_workers: int = 0,
) -> CrossValidation:
    """Trains a model for every fold of every seed, and measures the answers for the clips that were held out.

    A seed decides the partition, the initial weights and the order of the clips; seeds count from `train_config.seed`.
    Killed at any moment, it goes on with the first unfinished fold when called again with the same arguments.

    Args:
        data_dir: A prepared data set; its stored splits do not count here.
        out: A folder for `result.json`, `predictions.jsonl` and `folds/`.
        model_config: What the graph is built from.
        train_config: How it is trained.
        num_folds: At least 2.
        num_seeds: At least 1.
        random_split: Do not keep sources whole. Flatters; for comparison with figures that were made so.
        num_workers: Processes that train at once, one thread each; 0: one a core.

    Raises:
        InputError: The data set cannot be parted so, or `out` was begun with other arguments.
    """
    out = Path(out)
    model_config, train_config = model_config or ModelConfig(), train_config or TrainConfig()
    if num_seeds < 1 or num_folds < 2 or num_workers < 0:
        raise InputError(
            "expected at least 2 folds, 1 seed and 0 workers. "
            f"Received: {num_folds} folds, {num_seeds} seeds, {num_workers} workers"
        )
    data = open_data_set(Path(data_dir).resolve())
    clips, labels = data.clips, data.labels
    parted = [dataclasses.replace(clip, source=clip.id) for clip in clips] if random_split else clips
    arguments = {
        "data_fingerprint": data.fingerprint, "folds": num_folds,
        "random_split": random_split, "model": to_mapping(model_config), "train": to_mapping(train_config),
    }  # fmt: skip
    tasks = [
        FoldTask(
            data.with_splits(splits), out.resolve() / "folds" / f"seed-{seed}-fold-{fold}", model_config,
            dataclasses.replace(train_config, seed=seed), fold,
        )
        for seed in range(train_config.seed, train_config.seed + num_seeds)
        for fold, splits in enumerate(assign_folds(parted, num_folds=num_folds, seed=seed), start=1)
    ]  # fmt: skip
    _check_arguments(out, arguments)
    left = [task for task in tasks if not (task.folder / "scores.json").exists()]
    if left:
        _prepare(left)
    write_json(out / "arguments.json", arguments)
    _run_all(left, num_workers)
    predictions = _collect(tasks, clips, labels)
    result = CrossValidation(
        folds=num_folds,
        seeds=num_seeds,
        heads={head: pooled_metrics(predictions, head) for head in labels},
        predictions=str(write_predictions(out, predictions)),
        random_split=random_split,
    )
    write_json(out / "result.json", result.to_json())
    return result


def _prepare(tasks: Sequence[FoldTask]) -> None:
    """Finds mistakes before the long work, and lets the backbone see all clips, with all cores."""
    for task in tasks:
        run = plan_run(task.data, task.folder, task.model, task.train)
    fill_caches(run, task.data, build_model(run.config.model, run.labels, len(run.vocabulary)))


def _check_arguments(out: Path, arguments: dict[str, Any]) -> None:
    path = out / "arguments.json"
    if path.exists() and read_json(path) != arguments:
        raise InputError(
            f"{out} was begun with other arguments (its arguments.json has them): "
            "go on with those, give another --out, or remove that folder"
        )


def _run_all(tasks: Sequence[FoldTask], num_workers: int) -> None:
    if not tasks:
        return
    num_workers = min(num_workers or num_usable_cores(), len(tasks))
    with pebble.ProcessPool(num_workers, initializer=start_worker, context=worker_context()) as pool:
        results = pool.map(run_fold, tasks).result()
        try:
            for _ in track(tasks, "folds", len(tasks)):
                next(results)
        except BaseException:
            pool.stop()  # or the pool would first finish what is left
            raise


def _collect(tasks: Sequence[FoldTask], clips: Sequence[StoredClip], labels: Labels) -> list[Prediction]:
    by_id, rows = {clip.id: clip for clip in clips}, []
    for task in tasks:
        scores = read_json(task.folder / "scores.json")
        for clip_id, heads in scores.items():
            clip = by_id[clip_id]
            answers = {head: _answer(values, clip, head, labels) for head, values in heads.items()}
            rows.append(Prediction(task.train.seed, task.fold, clip_id, clip.source, answers))
    times = Counter((row.seed, row.id) for row in rows)
    if set(times.values()) != {1} or len(times) != len(clips) * len({task.train.seed for task in tasks}):
        raise InputError(
            "expected each clip to be held out once a seed. Received: folds of different partitions, as after the "
            "data set was prepared anew; remove the folder and begin anew"
        )
    return rows


def _answer(scores: list[float], clip: StoredClip, head: str, labels: Labels) -> HeadPrediction:
    names, truth = labels[head], clip.labels[head]
    decided = decide(scores, thresholds_of(labels).get(head))  # a fold keeps the thresholds that a run begins with
    if head in labels.multi_label:
        answer = tuple(name for name, is_given in zip(names, decided, strict=True) if is_given)
        return HeadPrediction(None if truth is None else tuple(sorted(truth)), answer, tuple(scores))
    return HeadPrediction(truth, names[int(decided)], tuple(scores))
