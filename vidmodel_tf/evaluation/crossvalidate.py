"""Cross-validation grouped by source: each clip is predicted by models that never saw a clip of its source.

The frozen backbone encodes each clip once for all folds and seeds. In each fold the vocabulary and the standardisation
come from its training clips alone, and early stopping watches an inner validation split, grouped by source too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from pathlib import Path

import keras

from vidmodel_tf import folder_lock
from vidmodel_tf.cluster.open_machines import open_machines
from vidmodel_tf.config import ModelConfig, TrainConfig, to_mapping, without_machine
from vidmodel_tf.errors import InputError, VidmodelError
from vidmodel_tf.evaluation.cross_metrics import pooled_metrics
from vidmodel_tf.evaluation.fold_predictions import collect_predictions
from vidmodel_tf.evaluation.fold_task import FoldTask, plan_folds
from vidmodel_tf.evaluation.fold_worker import LeftFiles, keep_files, run_fold, run_fold_apart, start_worker
from vidmodel_tf.evaluation.predictions import write_predictions
from vidmodel_tf.evaluation.results import CrossValidation
from vidmodel_tf.machines import Machines
from vidmodel_tf.model.own_backbone import identify_backbone
from vidmodel_tf.progress import track
from vidmodel_tf.records.data_set import DataSet, open_data_set
from vidmodel_tf.run_folder.formats import FORMAT, Settings, upgrade
from vidmodel_tf.storage import read_json, write_json
from vidmodel_tf.text.vectors.embeddings import read_embeddings, resolve_embeddings
from vidmodel_tf.text.vectors.word_vectors import WordVectors
from vidmodel_tf.text.vectors.write_vectors import write_word_vectors
from vidmodel_tf.text.vocabulary import count_words
from vidmodel_tf.training.build_stage import fill_caches
from vidmodel_tf.training.train import build_initial_model, print_coverage
from vidmodel_tf.worker_of_pool import WorkerDiedError

_ARGUMENTS = "arguments.json"
_WORD_VECTORS = ".word_vectors.txt"  # hidden: a file of the user might have the name without a dot


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
    cluster: str | None = None,
) -> CrossValidation:
    """Trains a model for every fold of every seed, and measures the predictions for the clips that were held out.

    A seed decides the partition, the initial weights and the order of the clips; seeds count from `train_config.seed`.
    If it is killed at any moment, a call with the same arguments goes on with the first unfinished fold.

    Args:
        data_dir: A prepared data set; its stored splits are ignored.
        out: A folder for `result.json`, `predictions.jsonl` and `folds/`.
        model_config: Settings of the graph.
        train_config: Settings of training.
        num_folds: At least 2.
        num_seeds: At least 1.
        random_split: Assign clips to folds one by one, not by source. This flatters; it is for comparison with
            published figures that were made so.
        num_workers: Processes that train at once, one thread each; 0: one for each core.
        cluster: The address of a Ray cluster whose nodes train the folds (docs/cluster.md); None: this machine does.
            The backbone encodes the clips here.

    Raises:
        InputError: The data set cannot be divided so, `out` was begun with other arguments, another process writes
            there, or there is no such cluster.
    """
    if num_seeds < 1 or num_folds < 2 or num_workers < 0:
        raise InputError(
            "expected at least 2 folds, 1 seed and 0 workers. "
            f"Received: {num_folds} folds, {num_seeds} seeds, {num_workers} workers"
        )
    model_config, train_config = model_config or ModelConfig(), train_config or TrainConfig()
    if train_config.devices != 1:
        raise InputError(
            "train.devices: expected 1, for the processes of a cross-validation train on a core each and no GPU. "
            f"Received: {train_config.devices}"
        )
    out, data = Path(out), open_data_set(data_dir)
    backbone_source, (model_config, own_backbone) = model_config.backbone, identify_backbone(model_config)
    vectors = _read_word_vectors(data, model_config)
    model_config = resolve_embeddings(model_config, vectors)
    tasks = plan_folds(
        data, out, model_config, train_config,
        num_folds=num_folds, num_seeds=num_seeds, whole=not random_split, backbone_source=backbone_source,
    )  # fmt: skip
    arguments = {
        "format": FORMAT, "data_fingerprint": data.fingerprint, "folds": num_folds,
        "random_split": random_split, "model": to_mapping(model_config), "train": without_machine(train_config),
    }  # fmt: skip
    _check_folder(out, arguments)
    with folder_lock.locked(out):
        if vectors is not None:
            path = out.resolve() / _WORD_VECTORS
            tasks = [dataclasses.replace(task, word_vectors=path) for task in tasks]
            write_word_vectors(path, vectors.words, vectors.values)
        unfinished = [task for task in tasks if not task.scores.exists()]
        with open_machines(cluster if unfinished else None) as machines:
            if unfinished:
                _prepare(unfinished, data, own_backbone)
            write_json(out / _ARGUMENTS, arguments)
            if cluster is None:
                _run_all(unfinished, run_fold, machines, num_workers)
            else:
                _run_all([task.with_absolute_paths() for task in unfinished], run_fold_apart, machines, num_workers)
    predictions = collect_predictions(tasks, data)
    result = CrossValidation(
        folds=num_folds,
        seeds=num_seeds,
        heads={head: pooled_metrics(predictions, head) for head in data.labels},
        predictions=str(write_predictions(out, predictions)),
        random_split=random_split,
    )
    write_json(out / "result.json", result.to_json())
    return result


def _read_word_vectors(data: DataSet, config: ModelConfig) -> WordVectors | None:
    """Of the words of all clips: the file of vectors, which may be large, is read once for all folds."""
    if config.embeddings == "none":
        return None
    words = count_words((clip.text for clip in data.clips), config.text_fields)
    return read_embeddings(config, list(words), Path())


def _check_folder(out: Path, arguments: Settings) -> None:
    path = out / _ARGUMENTS
    if not path.exists():
        content = [each.name for each in out.iterdir()] if out.is_dir() else []
        # A process that was killed may have left the file that it was writing.
        own = (folder_lock.NAME, ".arguments.", ".word_vectors.", "..word_vectors.")
        others = sorted(name for name in content if not name.startswith(own))
        if others:
            raise InputError(
                f"{out}: expected a new folder, or a cross-validation to go on with. "
                f"Received: one with other content ({', '.join(others[:4])}); give another --out"
            )
    # A setting may have been renamed since the folder was begun.
    elif upgrade(read_json(path), path) != arguments:
        raise InputError(
            f"{out} was begun with other arguments (its arguments.json has them): "
            "go on with those, give another --out, or remove that folder"
        )


def _prepare(tasks: Sequence[FoldTask], data: DataSet, own_backbone: keras.Model | None) -> None:
    """Finds mistakes before the long work, and encodes all clips with all cores."""
    runs = [task.plan(data.with_splits(task.split_of_clip)) for task in tasks]
    print_coverage(runs[0])
    model = build_initial_model(runs[0], tasks[0].backbone_source, own_backbone)
    fill_caches(runs[0], data, model, data.split_names)


def _run_all(
    tasks: Sequence[FoldTask], work: Callable[[FoldTask], LeftFiles], machines: Machines, num_workers: int
) -> None:
    with machines.open_pool(num_workers, start_worker) as pool:
        task_of = {pool.submit(work, task, reads=task.reads): task for task in tasks}
        for result in track(as_completed(task_of), "folds", len(tasks)):
            keep_files(task_of[result], _wait(result, task_of[result], min(pool.num_workers, len(tasks))))


def _wait(result: Future[LeftFiles], task: FoldTask, num_workers: int) -> LeftFiles:
    try:
        return result.result()
    except WorkerDiedError as error:
        raise VidmodelError(
            f"the process that trained fold {task.fold} of seed {task.train.seed} died twice, the second time with no "
            f"other beside it ({error}): the folds that are finished are kept, and the same command goes on from "
            f"here; where memory runs out, give it fewer --workers than {num_workers}, or a smaller batch"
        ) from None
